// Which worker gets a request, and how long the request waits for one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "metrics/scoreboard.h"
#include "pyhost/base/messages.h"
#include "remote/remote_settings.h"

namespace pyhost::remote {

// A place at a worker; given back at the end.
class Place {
 public:
  Place(metrics::Scoreboard& scoreboard, metrics::ChildSeat seat, metrics::SlotId slot,
        const metrics::SlotStatus& worker) noexcept
      : scoreboard_(&scoreboard),
        seat_(seat),
        slot_(slot),
        pid_(worker.pid),
        generation_(worker.generation) {}
  Place(Place&& other) noexcept;
  Place& operator=(Place&&) = delete;
  ~Place();

  metrics::SlotId slot() const noexcept { return slot_; }
  pid_t pid() const noexcept { return pid_; }
  std::uint32_t generation() const noexcept { return generation_; }

 private:
  metrics::Scoreboard* scoreboard_;
  metrics::ChildSeat seat_;
  metrics::SlotId slot_;
  pid_t pid_;
  std::uint32_t generation_;
};

// Why a request gets no worker.
struct Refusal {
  int status = 503;
  base::Message message{};
  std::string sentence;
};

// One request's way to a worker, over all its attempts: the limits in time count from its start.
// Used by the thread that serves the request.
class Admission {
 public:
  Admission(metrics::Scoreboard& scoreboard, metrics::ChildSeat seat,
            const RemoteSettings& settings);

  // A place at the ready worker with the fewest outstanding requests. Waits in the group's queue
  // when none has a free thread; refused when the queue is full or the wait too long.
  tl::expected<Place, Refusal> enter();
  // That worker has sent the request away or cannot be reached: it is not asked again, only its
  // successor. `why` appears in a refusal.
  void avoid(const Place& place, std::string why);

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<Place> try_enter();
  std::optional<Refusal> refusal_when_late(Clock::time_point now) const;
  bool is_candidate(const metrics::SlotStatus& worker, std::uint32_t slot) const noexcept;

  metrics::Scoreboard& scoreboard_;
  const metrics::ChildSeat seat_;
  const RemoteSettings& settings_;
  const Clock::time_point began_;
  std::vector<std::optional<std::uint32_t>> avoided_generation_;  // by slot
  std::string last_reason_ = "none is ready";
  bool any_candidate_ = false;
};

}  // namespace pyhost::remote

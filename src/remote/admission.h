// Which worker gets a request, and how long the request waits for one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pyhost/gateway/client_exchange.h"
#include "pyhost/gateway/refusal.h"
#include "remote/asked_workers.h"
#include "remote/remote_settings.h"
#include "remote/setback.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// Which worker it is.
struct Worker {
  std::uint32_t slot = 0;  // of the scoreboard; see RemoteSettings::rows_per_slot
  pid_t pid = 0;
  std::uint32_t generation = 0;
};

// Whether it has ended. A process that the application has forked keeps the worker's end of a
// connection open.
bool has_died(const scoreboard::Scoreboard& scoreboard, const Worker& worker) noexcept;

// Whether a worker is asked because it has the script, or although it has not, because no other
// has it either.
enum class Resort { first, last };

// A lease at a worker; given back at the end, when the time is counted that it was taken.
class Lease {
 public:
  Lease(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
        const scoreboard::LeaseId& held, const Worker& worker, Resort resort) noexcept
      : scoreboard_(&scoreboard),
        child_(child),
        held_(held),
        worker_(worker),
        resort_(resort),
        taken_at_(base::Clock::now()) {}
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  const Worker& worker() const noexcept { return worker_; }
  Resort resort() const noexcept { return resort_; }

 private:
  scoreboard::Scoreboard* scoreboard_;
  scoreboard::ChildId child_;
  scoreboard::LeaseId held_;
  Worker worker_;
  Resort resort_;
  base::TimePoint taken_at_;
};

// One request's way to a worker, over all its attempts: queue-timeout counts from its start,
// connect-timeout from when there was no worker any more that could be asked. Used by the thread
// that serves the request.
class Admission {
 public:
  // A worker that takes this long over the first sign of life is silent: one that runs accepts a
  // connection and reads a request at once, however busy its application is.
  static constexpr std::chrono::milliseconds kSilenceAfter{50};
  // After this time it is better to wait in the queue for another worker than for one that is
  // silent. Until then it may only be the machine that is busy.
  static constexpr std::chrono::milliseconds kSilenceMax{1000};

  // `script` is the key of the one that is wanted; see gateway::script_key(). With a `patience` all
  // waiting ends when that is over, since now.
  Admission(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
            const RemoteSettings& settings, gateway::Client& client, std::uint64_t script,
            std::optional<std::chrono::milliseconds> patience = std::nullopt);

  // A lease at the ready worker with the fewest requests that has the script, at one that is
  // silent when all such are; at any ready one when none has it, nor has had it and is being
  // replaced. Waits in the group's queue when none has a free thread; refused when the queue is
  // full, the wait too long, the client gone, or the group stopped.
  tl::expected<Lease, gateway::Refusal> enter();
  // That worker has not run the request: the next enter() heeds why. PRECONDITION: the client has
  // not gone.
  void heed(const Worker& worker, Setback setback);
  // That worker has not taken what it was sent so long ago, so all requests are to know. Whether
  // this one had better go to another worker: Setback::Kind::silent then.
  bool note_silence(const Worker& worker, std::chrono::nanoseconds since);
  void note_sign_of_life(const Worker& worker) noexcept;

  // How long all of enter() has waited for a free thread; zero for what has found one at once.
  base::Clock::duration waited() const noexcept { return waited_; }

  bool has_died(const Worker& worker) const noexcept {
    return remote::has_died(scoreboard_, worker);
  }

  bool client_gone() noexcept { return client_.client_state() == gateway::ClientState::gone; }
  // When the patience is over; nothing without one.
  const std::optional<base::Clock::time_point>& end() const noexcept { return end_; }
  bool is_over() const noexcept { return end_ && base::Clock::now() >= *end_; }

 private:
  // What a look at all workers has found of those that may be asked.
  struct Survey {
    bool any = false;
    std::optional<Worker> best;   // of those with a free lease
    std::uint32_t best_busy = 0;  // of its places
    std::uint32_t free_leases = 0;
    bool one_makes_room = false;  // one is busy with what nobody waits for
    Resort resort = Resort::first;
    bool avoids_one = false;  // there is another one that others may ask

    void add(std::uint32_t slot, const scoreboard::SlotStatus& worker) noexcept;
  };

  enum class Silent { left_out, asked };

  Survey survey();
  enum class Other { free, any };
  Survey survey(Silent silent);
  bool may_be_asked(std::uint32_t slot, const scoreboard::SlotStatus& worker,
                    base::Clock::time_point now) const noexcept;
  bool has_other(Other which, const Worker& than) const noexcept;
  bool has_script(std::uint32_t slot, const scoreboard::SlotStatus& worker) const noexcept;
  std::optional<Lease> take_lease(const Survey& found);
  std::optional<Lease> try_enter();
  std::optional<Lease> try_enter_from(scoreboard::Waiter& waiter);
  tl::expected<Lease, gateway::Refusal> wait_for_lease(scoreboard::Waiter& waiter);
  gateway::Refusal full(std::uint32_t waiting) const;
  base::Clock::time_point next_look(base::Clock::time_point now) const noexcept;
  std::chrono::milliseconds patience() const noexcept;
  gateway::Refusal unreachable() const;
  std::optional<gateway::Refusal> refusal_when_stopped() const;
  std::optional<gateway::Refusal> refusal_when_late(base::Clock::time_point now) const;
  std::optional<gateway::Refusal> refusal_when_client_gone();
  std::string state_of_workers() const;
  bool is_keeper(std::uint32_t slot) const noexcept { return slot % settings_.rows_per_slot != 0; }

  scoreboard::Scoreboard& scoreboard_;
  const scoreboard::ChildId child_;
  const RemoteSettings& settings_;
  gateway::Client& client_;
  const std::uint64_t script_;
  const base::Clock::time_point began_;
  const std::optional<base::Clock::time_point> end_;
  base::Clock::time_point last_candidate_at_;  // when a worker could be asked, be it busy
  base::Clock::duration waited_{0};
  AskedWorkers asked_;
  // As the last survey() has found them.
  bool any_candidate_ = false;
  std::uint32_t leases_missing_ = 0;  // of the slots without a worker that can be asked
  bool renewing_ = false;             // a worker stands by until its successor is ready
  bool worker_makes_room_ = false;    // one is busy with what nobody waits for
};

}  // namespace pyhost::remote

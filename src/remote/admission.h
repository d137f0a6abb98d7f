// Which worker gets a request, and how long the request waits for one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/messages.h"
#include "pyhost/gateway/exchange.h"
#include "remote/remote_settings.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// Which worker it is.
struct Worker {
  std::uint32_t slot = 0;  // of the scoreboard; see RemoteSettings::rows_per_slot
  pid_t pid = 0;
  std::uint32_t generation = 0;
};

// Whether a worker is asked because it has the script, or although it has not, because no other
// has it either.
enum class Resort { first, last };

// A lease at a worker; given back at the end.
class Lease {
 public:
  Lease(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
        const scoreboard::LeaseId& held, const Worker& worker, Resort resort) noexcept
      : scoreboard_(&scoreboard), child_(child), held_(held), worker_(worker), resort_(resort) {}
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
};

// Why a request gets no worker.
struct Refusal {
  int status = 503;
  base::LogLevel level = base::LogLevel::error;
  base::Message message{};
  std::string sentence;
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

  // `script` is the key of the one that is wanted; see control::script_key().
  Admission(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
            const RemoteSettings& settings, gateway::Exchange& exchange, std::uint64_t script);

  // A lease at the ready worker with the fewest busy threads that has the script, at one that is
  // silent when all such are; at any ready one when none has it, nor has had it and is being
  // replaced. Waits in the group's queue when none has a free thread; refused when the queue is
  // full, the wait too long, the client gone, or the group stopped.
  tl::expected<Lease, Refusal> enter();
  // That worker cannot be reached: it is not asked again, only its successor. `why` appears in a
  // refusal.
  void avoid(const Worker& worker, std::string why);
  // That worker cannot be asked for the moment: it has sent the request back, because it or its
  // predecessor, which the connection may have gone to, is being replaced; or there can be no
  // connection just now. Others are asked first.
  void postpone(const Worker& worker, std::string why);
  // That worker has not taken what it was sent so long ago, so all requests are to know. Whether
  // this one had better go to another worker: leave() then.
  bool note_silence(const Worker& worker, std::chrono::nanoseconds since);
  void note_sign_of_life(const Worker& worker) noexcept;
  // The request is taken back from that worker, for the next enter().
  void leave(std::string why);
  // That worker does not have the script, as it has said when it was asked. Others are asked first.
  void pass_by(const Worker& worker, std::string why);
  // The worker has left its slot, as the scoreboard says: the next enter() looks there again.
  void come_back(std::string why);

 private:
  struct Avoided {
    std::uint32_t generation = 0;
    base::Clock::time_point until{};  // it is not asked before; max() for never
    bool lacks_script = false;
  };

  // What a look at all workers has found of those that may be asked.
  struct Survey {
    bool any = false;
    std::optional<Worker> best;   // of those with a free lease
    std::uint32_t best_busy = 0;  // of its threads
    std::uint32_t free_threads = 0;
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
  const Avoided* avoided_or_null(std::uint32_t slot,
                                 const scoreboard::SlotStatus& worker) const noexcept;
  static bool may_have_later(const scoreboard::SlotStatus& worker, bool has,
                             const Avoided* avoided_or_null);
  bool has_script(std::uint32_t slot, const scoreboard::SlotStatus& worker) const noexcept;
  std::optional<Lease> take_lease(const Survey& found);
  std::optional<Lease> try_enter();
  std::optional<Lease> try_enter_from(scoreboard::Waiter& waiter);
  tl::expected<Lease, Refusal> wait_for_lease(scoreboard::Waiter& waiter);
  Refusal full(std::uint32_t waiting) const;
  base::Clock::time_point next_look(base::Clock::time_point now) const noexcept;
  std::chrono::milliseconds patience() const noexcept;
  Refusal unreachable() const;
  std::optional<Refusal> refusal_when_stopped() const;
  std::optional<Refusal> refusal_when_late(base::Clock::time_point now) const;
  std::optional<Refusal> refusal_when_unwanted() const;
  std::string state_of_workers() const;
  bool is_keeper(std::uint32_t slot) const noexcept { return slot % settings_.rows_per_slot != 0; }
  void avoid(const Worker& worker, Avoided how, std::string why);

  scoreboard::Scoreboard& scoreboard_;
  const scoreboard::ChildId child_;
  const RemoteSettings& settings_;
  gateway::Exchange& exchange_;
  const std::uint64_t script_;
  const base::Clock::time_point began_;
  base::Clock::time_point last_candidate_at_;    // when a worker could be asked, be it busy
  std::vector<std::optional<Avoided>> avoided_;  // by slot
  unsigned attempts_left_;                       // at workers that cannot be reached
  unsigned departures_left_;                     // from workers that are silent
  std::optional<base::Clock::time_point> postponed_since_;  // for the first time
  bool comes_back_ = false;                                 // from a worker that could not be asked
  std::string last_reason_ = "none is ready";
  // As the last survey() has found them.
  bool any_candidate_ = false;
  std::uint32_t threads_missing_ = 0;  // of the slots without a worker that can be asked
  bool renewing_ = false;              // a worker stands by until its successor is ready
  bool worker_makes_room_ = false;     // one is busy with what nobody waits for
};

}  // namespace pyhost::remote

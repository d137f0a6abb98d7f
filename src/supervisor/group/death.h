// How a worker ended.
#pragma once

#include <signal.h>

#include <cstdint>
#include <optional>
#include <string>

#include "control/end_reason.h"
#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

struct Death {
  enum class Cause {
    exited,           // detail: the exit code
    signalled,        // detail: the signal
    out_of_memory,    // by the kernel; detail 0
    startup_timeout,  // killed by the supervisor; detail: the limit in ms
    drain_timeout,    // the same
    // It has ended by itself, or was killed at it, because of a limit of its own:
    request_timeout,
    deadlock_timeout,
    import_timeout,  // startup-timeout, in its first request
    silence,         // the supervisor has replaced it because it did not serve any more
  };
  Cause cause = Cause::exited;
  std::int64_t detail = 0;

  bool operator==(const Death&) const = default;
};

// Whether the cause is a limit that the worker itself has kept, or its silence.
bool is_limit(Death::Cause cause) noexcept;

// "exited with code 3", "was killed by signal 11 (Segmentation fault)".
std::string describe(const Death& death);

// Makes the cause of what waitid() said. `oom_killed`: the kernel has killed a process of our
// control group since the last look.
Death death_of(const siginfo_t& info, KillReason killed, const LifeLimits& limits,
               bool oom_killed) noexcept;

// The same death, with the reason for which the worker has begun to drain, if there is one. A
// signal of its own is the better one.
Death with_reason(const Death& death, std::optional<control::EndReason> reason) noexcept;

// The counter of kills for lack of memory in this process's control group, version 2 or 1.
class OomCounter {
 public:
  OomCounter();
  // Of another control group: its memory.events or memory.oom_control.
  explicit OomCounter(std::string file);

  // Whether it has grown since the last call; never when the system has no such counter.
  bool has_grown();

 private:
  std::optional<std::uint64_t> read() const;

  std::string file_;  // "" when there is none
  std::uint64_t last_ = 0;
};

}  // namespace pyhost::supervisor

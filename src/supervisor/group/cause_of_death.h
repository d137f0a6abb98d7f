// Finds out how a worker ended.
#pragma once

#include <signal.h>

#include <cstdint>
#include <optional>
#include <string>

#include "control/end_reason.h"
#include "scoreboard/death.h"
#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// The cause and the detail of what waitid() said. `oom_killed`: the kernel has killed a process of
// our control group since the last look.
scoreboard::Death death_of(const siginfo_t& info, KillReason killed, const LifeLimits& limits,
                           bool oom_killed) noexcept;

// The same death, with the reason for which the worker has begun to drain, if there is one. A
// signal of its own is the better one.
scoreboard::Death with_reason(scoreboard::Death death,
                              std::optional<control::EndReason> reason) noexcept;

// Whether the worker was told to end, or had asked to, and has ended as it should.
bool is_planned(const LastState& last, const scoreboard::Death& death) noexcept;

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

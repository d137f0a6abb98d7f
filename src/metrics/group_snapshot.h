// How a process group is, for its operators.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scoreboard/scoreboard.h"

namespace pyhost::metrics {

// Which version of a script is served.
struct ScriptStatus {
  enum class State {
    current,  // the last that was imported
    kept,     // one of before, because a worker could not import the present one
    broken,   // none: no worker could import it
  };
  std::string application_group;
  std::string script;  // a path, or "package.module:callable"
  State state = State::current;
  std::string reason;           // unless it is current: why it could not be imported
  std::int64_t since_us = 0;    // the same; since the epoch
  std::vector<unsigned> slots;  // whose workers have it
};

struct GroupStatus {
  enum class State {
    serving,   // at least one worker is ready
    degraded,  // a script is kept or broken, or workers because their successors could not start
    failing,   // workers are ready, and of what they were asked for they could import nothing
    starting,  // no worker is ready
    stopped,   // by an operator; workers may still drain
  };
  std::string name;
  State state = State::starting;
  std::string reason;  // why a worker could not start, while that is so; else ""
  unsigned threads = 0;
  unsigned waiting = 0;                         // requests, for a worker
  std::vector<scoreboard::SlotStatus> workers;  // by slot
  // Beside those, for scripts that these could not import.
  struct Keeper {
    unsigned slot = 0;
    scoreboard::SlotStatus worker;
  };
  std::vector<Keeper> keepers;
  std::vector<ScriptStatus> scripts;
};

// Whether one of its scripts is not current.
bool has_broken_script(const GroupStatus& group) noexcept;
// Whether it has tried scripts, and serves none of them.
bool has_only_broken_scripts(const GroupStatus& group) noexcept;

// "serving".
std::string_view name_of(GroupStatus::State state) noexcept;

}  // namespace pyhost::metrics

// How a process group is: for the status page, for operators, and for whoever measures it.
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

enum class GroupState {
  serving,   // at least one worker is ready
  degraded,  // a script is kept or broken, or workers because their successors could not start
  failing,   // workers are ready, and of what they were asked for they could import nothing
  starting,  // no worker is ready
  stopped,   // by an operator; workers may still drain
};

// "serving".
std::string_view name_of(GroupState state) noexcept;

struct GroupSnapshot {
  std::string name;
  bool stopped = false;  // by an operator
  unsigned threads = 0;
  unsigned waiting = 0;                         // requests, for a worker
  std::vector<scoreboard::SlotStatus> workers;  // by slot
  // Beside those, for scripts that these could not import; by slot.
  struct Keeper {
    unsigned slot = 0;
    scoreboard::SlotStatus worker;
  };
  std::vector<Keeper> keepers;

  // --- What the supervisor alone knows ---

  std::vector<ScriptStatus> scripts;  // that were asked for
  std::string reason;                 // why a worker could not start, while that is so; else ""
};

// What the scoreboard says of a group of so many slots; the rest stays empty.
GroupSnapshot snapshot_of(const scoreboard::Scoreboard& board, std::string name, unsigned slots,
                          unsigned threads);

// What follows from it. Without scripts, which nobody but the supervisor knows, it is the same, but
// for a group that is failing: that is degraded.
GroupState state_of(const GroupSnapshot& group) noexcept;

}  // namespace pyhost::metrics

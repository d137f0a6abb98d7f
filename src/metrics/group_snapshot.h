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
  // The oldest first; for those who want to see each.
  std::vector<scoreboard::RunningRequest> running;

  // --- What the supervisor knows; the scoreboard has a part of it ---

  std::vector<ScriptStatus> scripts;  // that were asked for
  // Of the others, which are not among them, the present version is served.
  unsigned more_current_scripts = 0;
  std::string reason;  // why a worker could not start, while that is so; else ""
};

// What the scoreboard says of a group of so many slots, without the requests that run: of scripts
// only those that are not current, and not all of them when they are many.
GroupSnapshot snapshot_of(const scoreboard::Scoreboard& board, std::string name, unsigned slots,
                          unsigned threads);

// How many requests a worker serves at a time: that of the one that serves most, as workers say it.
unsigned places_of_worker(const GroupSnapshot& group) noexcept;
// All workers together.
unsigned places_of(const GroupSnapshot& group) noexcept;

// What the scoreboard is to say of what is broken.
scoreboard::Troubles troubles_of(const GroupSnapshot& group);

// What follows from it.
GroupState state_of(const GroupSnapshot& group) noexcept;

}  // namespace pyhost::metrics

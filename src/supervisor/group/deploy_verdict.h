// Whether a worker that could not import all scripts takes over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace pyhost::supervisor {

// See control::script_key().
using ScriptKeys = std::set<std::uint64_t>;

bool have_common(const ScriptKeys& one, const ScriptKeys& other) noexcept;
// Of `these`, those that are not in `others`.
ScriptKeys without(const ScriptKeys& these, const ScriptKeys& others);
ScriptKeys common(const ScriptKeys& one, const ScriptKeys& other);

// What a renewal of a group's workers is for.
struct RenewalReasons {
  ScriptKeys changed;  // scripts
  // A restart, an operator, a limit, or a change of something that is no script of the group's.
  bool others = false;

  bool none() const noexcept { return changed.empty() && !others; }
};

// A worker that has imported what it could, and may serve.
struct DeployCase {
  ScriptKeys has;
  ScriptKeys lacks;     // it could not import them
  ScriptKeys required;  // it was started to have these
  RenewalReasons reasons;
  ScriptKeys predecessor_has;  // of the worker that it replaces, which may go on instead
  ScriptKeys group_has;        // of all workers of the group that live, this one apart
  bool has_predecessor = false;
  std::size_t scripts_kept_max = 0;  // by the predecessor, beside it
};

struct DeployVerdict {
  bool serves = false;  // otherwise it leaves, and the group goes on with what it has
  ScriptKeys kept;      // what its predecessor is kept for, beside it
};

// A worker without a predecessor serves, and so does one that loses nothing of what the group has.
// One that does, only if it brings something; what it loses stays with its predecessor.
DeployVerdict judge(const DeployCase& deploy);

}  // namespace pyhost::supervisor

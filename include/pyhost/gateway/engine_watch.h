// What a process that watches over its requests needs of an engine besides running them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// An interpreter that does not answer: its lock cannot be had, or its event loop does not turn.
struct InterpreterWait {
  std::chrono::steady_clock::time_point since;
  std::string interpreter;  // "the main interpreter", "sub-interpreter 'name'"
};

// Whose stacks are collected.
enum class StackOwners {
  calls,  // the threads that are in run(), ask() or prepare()
  all,    // every thread that runs Python code
};

// Belongs to its engine. Every function may be called from any thread, returns at once and never
// waits for an interpreter's lock: what needs one is done by threads of the engine's own, as soon
// as they get it.
class EngineWatch {
 public:
  virtual ~EngineWatch() = default;

  // Raises mod_wsgi.RequestTimeout, once, in the run or question of that caller, be it an exchange,
  // if it is in Python since before `moment`, has not ended and is not importing its script; any
  // other, and a later one of the same caller, is left alone. One that still waits for its
  // interpreter is not reached: ask again. Python raises it when the thread next runs Python code.
  // The caller is compared, not used.
  virtual void interrupt(const Caller& caller, base::TimePoint moment) noexcept = 0;

  // Raises SystemExit, once, in every prepare() that is in Python.
  virtual void interrupt_preloads() noexcept = 0;

  // The Python stacks of these threads as text, of each interpreter by itself: of calls, "" when it
  // has none; of all, below a line that names the interpreter. `take` is called once for each, on
  // threads of the engine's, when its lock was had, and with it; so perhaps never. How often it is
  // to be called.
  virtual std::size_t collect_stacks(
      StackOwners whose, std::function<void(std::string_view stacks)> take) noexcept = 0;

  // The stacks of all Python threads, as far as CPython can tell them without the lock. Reads what
  // running threads may change: for a process that is going to end.
  virtual std::string stacks_without_lock() noexcept = 0;

  // Asks for the lock of every interpreter, unless that is under way, and says which question of
  // earlier calls has waited longest for its answer; nothing when all were answered.
  virtual std::optional<InterpreterWait> probe_locks() noexcept = 0;

  // The same of the event loops, which answer between two pieces of what they run.
  struct LoopProbe {
    bool any = false;  // there is one that runs
    std::optional<InterpreterWait> longest;
  };
  virtual LoopProbe probe_loops() noexcept = 0;

  // Whoever watches has logged that a lock cannot be had: PythonLife::stop() need not do so again.
  virtual void lock_wait_told() noexcept = 0;

  // How many imports of scripts and modules were successful so far. Costs an atomic read.
  virtual unsigned imports() const noexcept = 0;

  // What is imported, in no particular order; each entry is there before imports() counts it.
  virtual std::vector<Script> imported_scripts() = 0;

  // Whether there are applications, and all of them are served by event loops.
  virtual bool serves_by_loops_only() = 0;

  // Scripts whose files have changed up to this moment, in microseconds since the epoch, do not
  // count as changed any more. See ChangedScripts.
  virtual void accept_changes_until(std::int64_t moment_us) noexcept = 0;
};

}  // namespace pyhost::gateway

// The life of Python in a process, apart from the requests.
#pragma once

#include <chrono>
#include <string_view>

#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine_watch.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// Any thread that has a Python-sized stack (base::kPythonStackBytes), unless it says otherwise.
class PythonLife {
 public:
  virtual ~PythonLife() = default;

  // Makes the interpreter and imports the script now, as a first request would; `sink` gets
  // the traceback of a failure. The error is its last line in a sentence. Without a callable the
  // script need not define any.
  virtual base::Result<> prepare(const Target& target, base::LogSink& sink) noexcept = 0;

  // Has the functions called that applications have subscribed for the end of the process, in every
  // interpreter, on threads of the engine's own; returns at once. Requests may go on meanwhile.
  // Applications get `reason` as shutdown_reason. Only the first call counts; without one nobody is
  // told. To be called by the thread that calls stop().
  virtual void announce_stop(std::string_view /*reason*/) noexcept {}

  // Has the functions called that applications have subscribed for signals, in one interpreter
  // after the other, on a thread of the engine's own; returns at once. One that comes while the
  // same one waits to be told is told with it.
  virtual void announce_signal(int /*signal*/) noexcept {}

  // Ends all interpreters at the same time: what was announced, threading shutdown and atexit
  // functions, at most for `budget`, and says in one record what was in the way of those that have
  // not ended. Then it keeps Python from running for the rest of the process's life. PRECONDITION:
  // no run() is in progress or to come; runs that are left over from a forced exit never return.
  virtual void stop(std::chrono::milliseconds budget) noexcept = 0;

  // For whoever watches over what this engine runs; null when it runs nothing itself. Lives as long
  // as the engine and is not used after stop().
  virtual EngineWatch* watch() noexcept { return nullptr; }
};

}  // namespace pyhost::gateway

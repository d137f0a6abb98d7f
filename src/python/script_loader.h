// Imports WSGI scripts and modules, once each, and again when a script file changes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/error.h"
#include "python/ref.h"

namespace pyhost::python {

// One per interpreter; thread-safe. The import lock is per script: threads that want a script
// which another thread imports wait for it, without holding the interpreter, and nobody else does.
// A failed import leaves no module behind; until the file changes, or a pause that grows from 1 s
// to 30 s is over, every request meets the same failure.
class ScriptLoader {
 public:
  // Names of modules depend on the letter case of paths only when `case_sensitive_paths`.
  explicit ScriptLoader(bool case_sensitive_paths) : case_sensitive_paths_(case_sensitive_paths) {}

  // The target's callable; imports or re-imports first when that is due. Null after a failure,
  // which was logged; `failure_out` then has it in one sentence.
  Ref load(Attached& py, const gateway::Target& target, base::LogSink& log,
           std::string& failure_out);

 private:
  using Clock = std::chrono::steady_clock;

  struct Failure {
    std::string summary;    // "ValueError: text"
    std::int64_t mtime_us;  // of the file that failed
    Clock::time_point retry_at;
    std::chrono::seconds pause;
  };

  struct Script {
    std::mutex mutex;
    std::condition_variable loaded;
    // Guarded by mutex:
    bool loading = false;
    Ref module;
    std::int64_t mtime_us = 0;
    std::optional<Failure> failure;
  };

  // What an import has come to: the module, or why there is none.
  struct Import {
    Ref module;
    base::Message message = base::Message::none;
    std::string summary;
    std::string details;  // traceback
    bool refuses_subinterpreters = false;
  };

  Script& find(const gateway::Target& target);
  Ref current_module(Attached& py, Script& script, const gateway::Target& target,
                     base::LogSink& log, std::string& failure_out);
  Ref load_now(Attached& py, Script& script, const gateway::Target& target, std::int64_t mtime_us,
               base::LogSink& log, std::string& failure_out);
  Import import(Attached& py, const gateway::Target& target) const;
  Import import_file(Attached& py, const std::string& path) const;
  // PRECONDITION: an exception is pending.
  static Import failed_import(Attached& py, base::Message message);
  Ref callable_in(Attached& py, PyObject* module, const gateway::Target& target, base::LogSink& log,
                  std::string& failure_out) const;

  const bool case_sensitive_paths_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Script>, std::less<>> scripts_;  // guarded by mutex_
};

}  // namespace pyhost::python

// CPython in this process: started once, stopped once.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/base/thread.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/interpreter.h"
#include "python/starvation_watch.h"

namespace pyhost::python {

// Owns the interpreters and the one thread that starts Python, makes every interpreter and ends
// them: Python's idea of the main thread. Python is never finalised: at the end that thread keeps
// the lock, so that nothing runs Python while the process exits. Must not be destroyed after start
// succeeded, except with the process.
class Runtime {
 public:
  // Prepares a new interpreter before anybody else attaches to it; runs on the runtime's thread.
  using Setup = std::function<base::Result<>(Attached&, Interpreter&)>;

  // Starts Python with a main interpreter. At most one runtime ever lives in a process.
  static base::Result<std::unique_ptr<Runtime>> start(const gateway::EngineSettings& settings,
                                                      base::LogSink& server_log, Setup setup);

  Interpreter& main() noexcept { return *main_; }

  // Makes a sub-interpreter; blocks for its set-up. The calling thread is not attached.
  base::Result<Interpreter*> create_interpreter(std::string name);

  // Runs threading shutdown and atexit functions in every interpreter (when `run_exit_functions`),
  // then stops Python for ever. Returns after `budget` at the latest, saying what was in the way.
  void stop(std::chrono::milliseconds budget, bool run_exit_functions) noexcept;

  StarvationWatch& starvation_watch() noexcept { return starvation_watch_; }

 private:
  struct Ending;

  Runtime(base::LogSink& server_log, Setup setup)
      : server_log_(server_log), setup_(std::move(setup)) {}

  base::Result<> start_python(const gateway::EngineSettings& settings);
  base::Result<Interpreter*> make_sub_interpreter(std::string name);
  void end_interpreters(Ending& ending, bool run_exit_functions);
  void end_interpreter(Attached& py, Ending& ending);
  void serve_tasks();
  void post(std::function<void()> task);
  void run_on_own_thread(const std::function<void()>& task);
  // The audit hook: a fork would take a copy of every interpreter along, which CPython cannot.
  static int refuse_fork(const char* event, PyObject* arguments, void* runtime);

  base::LogSink& server_log_;
  const Setup setup_;
  base::NamedThread thread_;
  std::mutex mutex_;
  std::condition_variable task_posted_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  std::unique_ptr<Interpreter> main_;
  std::vector<std::unique_ptr<Interpreter>> subs_;  // the runtime's thread only
  std::atomic<int> subs_alive_ = 0;
  StarvationWatch starvation_watch_;
};

}  // namespace pyhost::python

// CPython in this process: started once, stopped once.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "os/fork_watch.h"
#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/ending.h"
#include "python/interpreter.h"
#include "python/process_environment.h"
#include "python/starvation_watch.h"

namespace pyhost::python {

// Owns the interpreters. Each has a thread of its own that makes it and ends it, Python's idea of
// its main thread, so that none has to wait for the end of another. Python is never finalised: at
// the end the main interpreter's thread keeps the lock, and that of each interpreter with a lock of
// its own keeps that, so that nothing runs Python while the process exits. Must not be destroyed
// after start succeeded, except with the process.
class Runtime {
 public:
  enum class ExitFunctions { run, skip };  // threading shutdown and atexit
  struct Stop {
    std::chrono::milliseconds budget{0};
    ExitFunctions exit_functions = ExitFunctions::run;
    Ending::Locks locks = Ending::Locks::named;
  };
  // Calls the shutdown callbacks of an interpreter on its main thread, and says before each which
  // it is.
  using BeforeCallback = std::function<void(std::string name)>;
  using Callbacks = std::function<void(Attached&, const BeforeCallback&)>;

  // Prepares a new interpreter before anybody else attaches to it; runs on its main thread.
  using Setup = std::function<base::Result<>(Attached&, Interpreter&)>;

  // Starts Python with a main interpreter. At most one runtime ever lives in a process.
  static base::Result<std::unique_ptr<Runtime>> start(const gateway::EngineSettings& settings,
                                                      base::LogSink& server_log, Setup setup);

  Interpreter& main() noexcept { return *main_; }

  // Makes a sub-interpreter, with a lock of its own where CPython has such; blocks for its set-up,
  // and for that of others. The calling thread is not attached.
  base::Result<Interpreter*> create_interpreter(std::string name, InterpreterLock lock);

  // Has `callbacks` run once in every interpreter: now, or in one that is made from now on, at its
  // end. Returns at once. A second call changes nothing. By the thread that stops.
  void announce_stop(Callbacks callbacks);

  // Waits for these, and runs threading shutdown and atexit functions in every interpreter at the
  // same time, then stops Python for ever. Returns after the budget at the latest, saying what was
  // in the way.
  void stop(const Stop& how) noexcept;

  StarvationWatch& starvation_watch() noexcept { return starvation_watch_; }

 private:
  Runtime(base::LogSink& server_log, Setup setup, gateway::ThreadSignals thread_signals)
      : server_log_(server_log), setup_(std::move(setup)), thread_signals_(thread_signals) {}

  base::Result<> start_python(const gateway::EngineSettings& settings,
                              std::unique_ptr<TaskThread>&& thread);
  // The thread is the calling one; it stays the caller's when there is no interpreter.
  base::Result<Interpreter*> make_interpreter(std::string name, InterpreterLock lock,
                                              std::unique_ptr<TaskThread>&& thread);
  Interpreter& keep(std::unique_ptr<Interpreter> made);
  std::vector<Interpreter*> open_interpreters();
  std::vector<Interpreter*> lock_holders();
  void end_all(const Stop& how);
  void post_end(Interpreter& interpreter, TaskThread::Task task);
  void announce_where_due();
  void run_callbacks(Interpreter& interpreter);
  void run_signal_handlers();
  void end_interpreter(Interpreter& interpreter, ExitFunctions exit_functions);
  void run_exit_functions(Attached& py);
  // The audit hook: a fork would take a copy of every interpreter along, which CPython cannot.
  static int refuse_fork(const char* event, PyObject* arguments, void* runtime);

  base::LogSink& server_log_;
  const Setup setup_;
  const gateway::ThreadSignals thread_signals_;
  std::mutex forking_;
  std::optional<os::ForkWatch> fork_watch_;  // where signals are blocked
  ProcessEnvironment environment_;           // before any application
  std::unique_ptr<Interpreter> main_;
  std::mutex creating_;  // one interpreter at a time is made
  std::mutex mutex_;
  std::vector<std::unique_ptr<Interpreter>> subs_;  // guarded by mutex_
  Callbacks callbacks_;                             // set before the first task that uses it
  std::set<const Interpreter*> announced_;          // of whoever stops
  std::atomic<int> subs_alive_ = 0;
  StarvationWatch starvation_watch_;
  Ending ending_;
};

}  // namespace pyhost::python

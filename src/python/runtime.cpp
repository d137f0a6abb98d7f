#include "python/runtime.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "base/out_of_memory.h"
#include "base/signals.h"
#include "python/compat.h"
#include "python/error.h"
#include "python/python_config.h"
#include "python/thread_ids.h"

namespace pyhost::python {

using base::LogLevel;
using base::Message;

namespace {

constexpr char kMainThreadName[] = "pyhost-python";

}  // namespace

base::Result<std::unique_ptr<Runtime>> Runtime::start(const gateway::EngineSettings& settings,
                                                      base::LogSink& server_log, Setup setup) {
  PH_TRY(thread, TaskThread::start(kMainThreadName, settings.thread_signals));
  TaskThread& main_thread = *thread;
  std::unique_ptr<Runtime> runtime(
      new Runtime(server_log, std::move(setup), settings.thread_signals));
  base::Result<> started;
  main_thread.run([&] { started = runtime->start_python(settings, std::move(thread)); });
  if (!started) {
    // Python may be half started.
    static_cast<void>(thread.release());
    static_cast<void>(runtime.release());
    return tl::unexpected(started.error());
  }
  return runtime;
}

base::Result<> Runtime::start_python(const gateway::EngineSettings& settings,
                                     std::unique_ptr<TaskThread>&& thread) {
  os::ForkWatch::begin();
  if (thread_signals_ == gateway::ThreadSignals::blocked) {
    fork_watch_.emplace(forking_, [] { base::restore_signals(); });
  }
  if (PySys_AddAuditHook(&Runtime::refuse_fork, this) != 0) {
    return base::fail("Python refused the audit hook");
  }
  PH_TRY_VOID(initialize_python(settings));
  if (!pyhost_keep_thread_ids_apart()) {
    return base::fail("this version of CPython counts its threads in a way that is not known");
  }
  environment_ = ProcessEnvironment::copy();
  main_ =
      std::make_unique<Interpreter>(std::string(gateway::kMainInterpreter), InterpreterLock::shared,
                                    std::move(thread), PyThreadState_Get(), server_log_);
  PyEval_SaveThread();
  if (!settings.restrict_signal) {
    main_->main_thread().set_idle_task([this] { run_signal_handlers(); });
  }
  OwnerScope py(*main_);
  return setup_(py, *main_);
}

base::Result<Interpreter*> Runtime::create_interpreter(std::string name, InterpreterLock lock) {
  if (!kHasOwnLocks) lock = InterpreterLock::shared;
  const std::lock_guard one_at_a_time(creating_);
  PH_TRY(thread, TaskThread::start(kMainThreadName, thread_signals_));
  TaskThread& main_thread = *thread;
  base::Result<Interpreter*> made = nullptr;
  main_thread.run([&] { made = make_interpreter(std::move(name), lock, std::move(thread)); });
  return made;
}

base::Result<Interpreter*> Runtime::make_interpreter(std::string name, InterpreterLock lock,
                                                     std::unique_ptr<TaskThread>&& thread) {
  const StarvationWatch::InFlight in_flight(starvation_watch_);
  starvation_watch_.begin(*main_);
  PyThreadState* owner;
  {
    // A new interpreter copies the configuration of the one that is attached.
    AttachScope py(*main_);
    PyThreadState* const main_state = PyThreadState_Get();
    subs_alive_.fetch_add(1);
    const auto made = make_sub_interpreter(lock);
    if (!made) {
      subs_alive_.fetch_sub(1);
      return tl::unexpected(made.error());
    }
    owner = *made;
    PyThreadState_Swap(main_state);
  }
  Interpreter& made = keep(
      std::make_unique<Interpreter>(std::move(name), lock, std::move(thread), owner, server_log_));
  {
    OwnerScope py(made);
    auto ready = environment_.show_in(py);
    if (ready) ready = setup_(py, made);
    if (!ready) {
      made.close();
      return tl::unexpected(ready.error());
    }
  }
  starvation_watch_.add(made);
  return &made;
}

Interpreter& Runtime::keep(std::unique_ptr<Interpreter> made) {
  const std::lock_guard lock(mutex_);
  return *subs_.emplace_back(std::move(made));
}

std::vector<Interpreter*> Runtime::open_interpreters() {
  std::vector<Interpreter*> open;
  const std::lock_guard lock(mutex_);
  for (const auto& interpreter : subs_) {
    if (!interpreter->closed()) open.push_back(interpreter.get());
  }
  open.push_back(main_.get());
  return open;
}

// One for each lock.
std::vector<Interpreter*> Runtime::lock_holders() {
  std::vector<Interpreter*> holders{main_.get()};
  const std::lock_guard lock(mutex_);
  for (const auto& interpreter : subs_) {
    if (interpreter->lock() == InterpreterLock::own) holders.push_back(interpreter.get());
  }
  return holders;
}

int Runtime::refuse_fork(const char* event, PyObject*, void* argument) {
  if (event[0] != 'o' || event[1] != 's') return 0;
  if (std::strcmp(event, "os.fork") != 0 && std::strcmp(event, "os.forkpty") != 0) return 0;
  if (static_cast<Runtime*>(argument)->subs_alive_.load(std::memory_order_relaxed) == 0) return 0;
  PyErr_SetString(
      PyExc_RuntimeError,
      "os.fork() and preexec_fn would hang or crash the new process, because sub-interpreters are "
      "alive in this one. Give the application a process of its own and set WSGIApplicationGroup "
      "%{GLOBAL}, or use subprocess without preexec_fn (but start_new_session, process_group, user "
      "and the like), or multiprocessing with the start method 'spawn' or 'forkserver'.");
  return -1;
}

// --- Ending ------------------------------------------------------------------------------------

namespace {

// support.end() tells through this which threads it is about to join.
PyObject* report_waiting(PyObject* capsule, PyObject* names) {
  const auto* report =
      static_cast<const std::function<void(std::string)>*>(PyCapsule_GetPointer(capsule, nullptr));
  const char* text = PyUnicode_AsUTF8(names);
  if (report == nullptr || text == nullptr) return nullptr;
  (*report)(text);
  Py_RETURN_NONE;
}

PyMethodDef report_method = {"report", report_waiting, METH_O, nullptr};

}  // namespace

void Runtime::run_exit_functions(Attached& py) {
  const Interpreter& interpreter = py.interpreter();
  const std::function<void(std::string)> report = [&](std::string threads) {
    const auto obstacle =
        threads.empty() ? Ending::Obstacle::exit_functions : Ending::Obstacle::threads;
    ending_.waits_for(interpreter, obstacle, std::move(threads));
  };
  report("");
  const Ref capsule = Ref::steal(
      PyCapsule_New(const_cast<std::function<void(std::string)>*>(&report), nullptr, nullptr));
  const Ref function = Ref::steal(PyCFunction_New(&report_method, capsule.get()));
  const Ref ended =
      Ref::steal(PyObject_CallMethod(interpreter.support(), "end", "O", function.get()));
  if (ended) return;
  const std::string text = PythonError::take(py).traceback(py);
  const DetachScope detached(py);
  server_log_.log(LogLevel::error, Message::exit_hook_failed,
                  fmt::format("ending {} raised an exception\n{}", interpreter.phrase(), text));
}

void Runtime::run_callbacks(Interpreter& interpreter) {
  const StarvationWatch::InFlight in_flight(starvation_watch_);
  OwnerScope py(interpreter);
  callbacks_(py, [&](std::string name) {
    ending_.waits_for(interpreter, Ending::Obstacle::callback, std::move(name));
  });
  ending_.waits_for(interpreter, Ending::Obstacle::lock);
}

void Runtime::post_end(Interpreter& interpreter, TaskThread::Task task) {
  using Obstacle = Ending::Obstacle;
  // A script may be imported there.
  TaskThread& thread = interpreter.main_thread();
  ending_.expect(interpreter, thread.busy() ? Obstacle::import : Obstacle::lock);
  thread.post([this, &interpreter, task = std::move(task)] {
    ending_.waits_for(interpreter, Obstacle::lock);
    task();
  });
}

void Runtime::announce_where_due() {
  for (Interpreter* interpreter : open_interpreters()) {
    if (announced_.contains(interpreter)) continue;
    post_end(*interpreter, [=, this] { run_callbacks(*interpreter); });
    announced_.insert(interpreter);
  }
}

void Runtime::announce_stop(Callbacks callbacks) {
  if (callbacks_) return;
  callbacks_ = std::move(callbacks);
  announce_where_due();
}

// Python runs them on its main thread, which has nothing else to do once scripts are imported.
void Runtime::run_signal_handlers() {
  const OwnerScope py(*main_);
  if (PyErr_CheckSignals() != 0) PyErr_WriteUnraisable(nullptr);
}

void Runtime::end_interpreter(Interpreter& interpreter, ExitFunctions exit_functions) {
  const StarvationWatch::InFlight in_flight(starvation_watch_);
  interpreter.main_thread().set_idle_task({});
  {
    OwnerScope py(interpreter);
    if (exit_functions == ExitFunctions::run) run_exit_functions(py);
    interpreter.close();
  }
  ending_.has_ended(interpreter);
}

// Without memory Python is left running: the process ends all the same.
void Runtime::stop(const Stop& how) noexcept {
  base::if_memory_allows([&] { end_all(how); });
}

void Runtime::end_all(const Stop& how) {
  const auto deadline = std::chrono::steady_clock::now() + how.budget;
  if (callbacks_) announce_where_due();
  for (Interpreter* interpreter : open_interpreters()) {
    post_end(*interpreter, [this, interpreter, exit_functions = how.exit_functions] {
      end_interpreter(*interpreter, exit_functions);
    });
  }
  if (ending_.complete_until(deadline)) {
    for (Interpreter* holder : lock_holders()) {
      post_end(*holder, [this, holder] {
        PyEval_RestoreThread(holder->owner());
        ending_.has_ended(*holder);
      });
    }
    if (ending_.complete_until(deadline)) return;
  }
  const std::string obstacles = ending_.in_the_way(how.locks);
  if (obstacles.empty()) return;
  server_log_.log(
      LogLevel::warn, Message::stop_hindered,
      fmt::format("Python was left running after {} ms: {}", how.budget.count(), obstacles));
}

}  // namespace pyhost::python

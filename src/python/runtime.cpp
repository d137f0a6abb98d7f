#include "python/runtime.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <latch>
#include <string_view>

#include "python/error.h"
#include "python/python_config.h"

namespace pyhost::python {

using base::LogLevel;
using base::Message;

base::Result<std::unique_ptr<Runtime>> Runtime::start(const gateway::EngineSettings& settings,
                                                      base::LogSink& server_log, Setup setup) {
  std::unique_ptr<Runtime> runtime(new Runtime(server_log, std::move(setup)));
  auto thread = base::NamedThread::start("pyhost-python", base::kPythonStackBytes,
                                         [self = runtime.get()] { self->serve_tasks(); });
  if (!thread) return tl::unexpected(thread.error());
  thread->detach();

  base::Result<> started;
  runtime->run_on_own_thread([&] { started = runtime->start_python(settings); });
  if (!started) {
    // The thread waits for tasks as long as the process lives, and Python may be half started.
    static_cast<void>(runtime.release());
    return tl::unexpected(started.error());
  }
  return runtime;
}

base::Result<> Runtime::start_python(const gateway::EngineSettings& settings) {
  if (PySys_AddAuditHook(&Runtime::refuse_fork, this) != 0) {
    return base::fail("Python refused the audit hook");
  }
  PH_TRY_VOID(initialize_python(settings));
  main_ = std::make_unique<Interpreter>(std::string(gateway::kMainInterpreter), PyThreadState_Get(),
                                        server_log_);
  PyEval_SaveThread();
  OwnerScope py(*main_);
  return setup_(py, *main_);
}

base::Result<Interpreter*> Runtime::create_interpreter(std::string name) {
  base::Result<Interpreter*> made = nullptr;
  run_on_own_thread([&] { made = make_sub_interpreter(std::move(name)); });
  return made;
}

base::Result<Interpreter*> Runtime::make_sub_interpreter(std::string name) {
  const StarvationWatch::InFlight in_flight(starvation_watch_);
  starvation_watch_.begin(*main_);
  PyThreadState* owner;
  {
    // A new interpreter copies the configuration of the one that is attached.
    OwnerScope py(*main_);
    PyThreadState* const main_state = PyThreadState_Get();
    subs_alive_.fetch_add(1);
    owner = Py_NewInterpreter();
    // On failure the calling state stays current, on success the new one is.
    if (owner == nullptr) {
      subs_alive_.fetch_sub(1);
      return base::fail("CPython could not create the interpreter");
    }
    PyThreadState_Swap(main_state);
  }
  Interpreter& made =
      *subs_.emplace_back(std::make_unique<Interpreter>(std::move(name), owner, server_log_));
  {
    OwnerScope py(made);
    if (auto ready = setup_(py, made); !ready) {
      made.close();
      return tl::unexpected(ready.error());
    }
  }
  starvation_watch_.add(made);
  return &made;
}

int Runtime::refuse_fork(const char* event, PyObject*, void* argument) {
  if (event[0] != 'o' || event[1] != 's') return 0;
  if (std::strcmp(event, "os.fork") != 0 && std::strcmp(event, "os.forkpty") != 0) return 0;
  if (static_cast<Runtime*>(argument)->subs_alive_.load(std::memory_order_relaxed) == 0) return 0;
  PyErr_SetString(
      PyExc_RuntimeError,
      "os.fork() would hang or crash the new process, because sub-interpreters are alive in this "
      "one. Give the application a process of its own and set WSGIApplicationGroup %{GLOBAL}, or "
      "use subprocess, or multiprocessing with the start method 'spawn' or 'forkserver'.");
  return -1;
}

// --- Ending ------------------------------------------------------------------------------------

// Shared by the thread that ends the interpreters and the one that waits, which may give up first.
struct Runtime::Ending {
  std::mutex mutex;
  std::condition_variable changed;
  std::string in_the_way = "the runtime's thread is busy";  // guarded by mutex
  bool done = false;                                        // guarded by mutex

  void now_in_the_way(std::string what) {
    const std::lock_guard lock(mutex);
    in_the_way = std::move(what);
  }
};

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

void Runtime::end_interpreter(Attached& py, Ending& ending) {
  const std::string phrase = py.interpreter().phrase();
  const std::function<void(std::string)> report = [&](std::string threads) {
    ending.now_in_the_way(threads.empty()
                              ? fmt::format("atexit functions of {} are running", phrase)
                              : fmt::format("threads of {} have not ended: {}", phrase, threads));
  };
  report("");
  const Ref capsule = Ref::steal(
      PyCapsule_New(const_cast<std::function<void(std::string)>*>(&report), nullptr, nullptr));
  const Ref function = Ref::steal(PyCFunction_New(&report_method, capsule.get()));
  const Ref ended =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "end", "O", function.get()));
  if (ended) return;
  const std::string text = PythonError::take(py).traceback(py);
  const DetachScope detached(py);
  server_log_.log(LogLevel::error, Message::exit_hook_failed,
                  fmt::format("ending {} raised an exception\n{}", phrase, text));
}

void Runtime::end_interpreters(Ending& ending, bool run_exit_functions) {
  const auto end = [&](Interpreter& interpreter) {
    if (interpreter.closed()) return;
    ending.now_in_the_way(fmt::format("the lock of {} was not given up", interpreter.phrase()));
    OwnerScope py(interpreter);
    if (run_exit_functions) end_interpreter(py, ending);
    interpreter.close();
  };
  for (const auto& interpreter : subs_) end(*interpreter);
  end(*main_);
  // From here on this thread keeps the lock.
  PyEval_RestoreThread(main_->owner());
}

void Runtime::stop(std::chrono::milliseconds budget, bool run_exit_functions) noexcept {
  const auto ending = std::make_shared<Ending>();
  post([this, ending, run_exit_functions] {
    const StarvationWatch::InFlight in_flight(starvation_watch_);
    end_interpreters(*ending, run_exit_functions);
    {
      const std::lock_guard lock(ending->mutex);
      ending->done = true;
    }
    ending->changed.notify_all();
  });
  std::unique_lock lock(ending->mutex);
  if (ending->changed.wait_for(lock, budget, [&] { return ending->done; })) return;
  server_log_.log(
      LogLevel::warn, Message::stop_hindered,
      fmt::format("Python was left running after {} ms: {}", budget.count(), ending->in_the_way));
}

// --- The runtime's thread ----------------------------------------------------------------------

void Runtime::serve_tasks() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      task_posted_.wait(lock, [this] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void Runtime::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  task_posted_.notify_one();
}

void Runtime::run_on_own_thread(const std::function<void()>& task) {
  std::latch done(1);
  post([&] {
    task();
    done.count_down();
  });
  done.wait();
}

}  // namespace pyhost::python

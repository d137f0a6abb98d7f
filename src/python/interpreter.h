// One persistent Python interpreter: the home of an application group.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "pyhost/base/log.h"
#include "python/ref.h"
#include "python/task_thread.h"

namespace pyhost::python {

class Attached;

// What the layers above keep in an interpreter; lives as long.
class Resident {
 public:
  virtual ~Resident() = default;
};

// Whose lock an interpreter runs under: the main interpreter's, or one that nobody else takes
// (PEP 684, CPython 3.12).
enum class InterpreterLock { shared, own };

// Made by Runtime on a thread that is Python's main thread in it and belongs to it; lives until the
// process ends, and so do the objects that our C++ side keeps in it: once Python is stopped nothing
// may touch them, so nothing frees them. Any thread may attach (attached.h). Objects made under it
// never leave it.
class Interpreter {
 public:
  // `owner` is the thread state that made the interpreter, on `main_thread`, which alone uses it.
  Interpreter(std::string name, InterpreterLock lock, std::unique_ptr<TaskThread> main_thread,
              PyThreadState* owner, base::LogSink& server_log)
      : name_(std::move(name)),
        lock_(lock),
        main_thread_(std::move(main_thread)),
        owner_(owner),
        state_(PyThreadState_GetInterpreter(owner)),
        server_log_(server_log) {}
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  const std::string& name() const noexcept { return name_; }
  bool is_main() const noexcept { return name_.empty(); }
  InterpreterLock lock() const noexcept { return lock_; }
  // "the main interpreter" or "sub-interpreter 'name'", for log texts.
  std::string phrase() const;

  PyInterpreterState* state() const noexcept { return state_; }
  TaskThread& main_thread() const noexcept { return *main_thread_; }
  PyThreadState* owner() const noexcept { return owner_; }
  base::LogSink& server_log() const noexcept { return server_log_; }

  // Our Python-level support functions (support.h), set before anybody else attaches.
  PyObject* support() const noexcept { return support_.get(); }
  void set_support(Attached&, Ref module) noexcept { support_ = std::move(module); }

  // Set once, while the interpreter is set up.
  Resident& resident() const noexcept { return *resident_; }
  void set_resident(std::unique_ptr<Resident> resident) noexcept {
    resident_ = std::move(resident);
  }

  // No thread may attach any more, thread ends included.
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

 private:
  const std::string name_;
  const InterpreterLock lock_;
  const std::unique_ptr<TaskThread> main_thread_;
  PyThreadState* const owner_;
  PyInterpreterState* const state_;
  base::LogSink& server_log_;
  Ref support_;
  std::unique_ptr<Resident> resident_;
  std::atomic<bool> closed_ = false;
};

}  // namespace pyhost::python

// Proof that this thread holds an interpreter, and the scopes that give and suspend it.
#pragma once

#include "python/interpreter.h"
#include "python/python.h"

namespace pyhost::python {

// Whoever has one runs Python: this thread's state for the interpreter is current and holds the
// lock. First parameter of everything that touches an object. Stack only, never kept.
class Attached {
 public:
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  Interpreter& interpreter() const noexcept { return interpreter_; }

 protected:
  explicit Attached(Interpreter& interpreter) noexcept : interpreter_(interpreter) {}
  ~Attached() = default;

 private:
  Interpreter& interpreter_;
};

// Attaches this thread for a scope, waiting for the lock. The thread's state for the interpreter is
// made at the first time and kept for the thread's life. PRECONDITION: the thread is not attached,
// and holds no mutex that an attached thread might wait for. Throws std::bad_alloc when there is no
// memory for the state.
class AttachScope : public Attached {
 public:
  explicit AttachScope(Interpreter& interpreter);
  ~AttachScope();
};

// The same with the interpreter's owner state: for its main thread.
class OwnerScope : public Attached {
 public:
  explicit OwnerScope(Interpreter& interpreter) noexcept;
  ~OwnerScope();
};

// For code that Python has called and that is therefore attached already.
class CalledByPython : public Attached {
 public:
  explicit CalledByPython(Interpreter& interpreter) noexcept : Attached(interpreter) {}
};

// Lets other threads run Python for a scope: around I/O, waits and logging. No object is touched
// inside it.
class DetachScope {
 public:
  explicit DetachScope(Attached&) noexcept : state_(PyEval_SaveThread()) {}
  DetachScope(const DetachScope&) = delete;
  DetachScope& operator=(const DetachScope&) = delete;
  ~DetachScope() { PyEval_RestoreThread(state_); }

 private:
  PyThreadState* const state_;
};

// A number for the calling thread, from 1, unique in the process while it serves Python.
int current_thread_number() noexcept;

// The interpreter with this name that the calling thread has attached to before, or null: spares
// the registry's lock on the request path.
Interpreter* recent_interpreter_or_null(std::string_view name) noexcept;

}  // namespace pyhost::python

#include "python/attached.h"

#include <new>
#include <vector>

#include "python/gilstate.h"

namespace pyhost::python {
namespace {

struct Cached {
  Interpreter* interpreter;
  PyThreadState* state;
};

// The calling thread's states, one per interpreter it has served.
class ThreadStates {
 public:
  ~ThreadStates() {
    // httpd's prefork MPM ends a child with exit() in a signal handler: Python code, with or
    // without the lock, may be what it has interrupted.
    if (in_use) return;
    for (const Cached& cached : states_) {
      if (cached.interpreter->closed()) continue;
      PyEval_RestoreThread(cached.state);
      PyThreadState_Clear(cached.state);
      PyThreadState_DeleteCurrent();
    }
  }

  PyThreadState* get_or_make(Interpreter& interpreter) {
    for (const Cached& cached : states_) {
      if (cached.interpreter == &interpreter) return cached.state;
    }
    states_.reserve(states_.size() + 1);
    // Made by the thread that uses it: it records this thread's id and stack.
    PyThreadState* state = PyThreadState_New(interpreter.state());
    if (state == nullptr) throw std::bad_alloc();
    states_.push_back({&interpreter, state});
    return state;
  }

  Interpreter* find(std::string_view name) const noexcept {
    for (const Cached& cached : states_) {
      if (cached.interpreter->name() == name && !cached.interpreter->closed()) {
        return cached.interpreter;
      }
    }
    return nullptr;
  }

  bool in_use = false;  // by an AttachScope

 private:
  std::vector<Cached> states_;
};

thread_local ThreadStates thread_states;
std::atomic<int> threads_numbered = 0;

}  // namespace

AttachScope::AttachScope(Interpreter& interpreter) : Attached(interpreter) {
  PyThreadState* const state = thread_states.get_or_make(interpreter);
  thread_states.in_use = true;
  PyEval_RestoreThread(state);
  pyhost_set_gilstate(state);
}

AttachScope::~AttachScope() {
  PyEval_SaveThread();
  thread_states.in_use = false;
}

OwnerScope::OwnerScope(Interpreter& interpreter) noexcept : Attached(interpreter) {
  PyEval_RestoreThread(interpreter.owner());
  pyhost_set_gilstate(interpreter.owner());
}

OwnerScope::~OwnerScope() {
  PyEval_SaveThread();
}

int current_thread_number() noexcept {
  thread_local const int number = threads_numbered.fetch_add(1, std::memory_order_relaxed) + 1;
  return number;
}

Interpreter* recent_interpreter_or_null(std::string_view name) noexcept {
  return thread_states.find(name);
}

}  // namespace pyhost::python

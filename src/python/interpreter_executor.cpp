#include "python/interpreter_executor.h"

#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/thread.h"
#include "python/error.h"

namespace pyhost::python {
namespace {

// Without memory for a thread's state.
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

bool InterpreterExecutor::start() {
  auto thread =
      base::NamedThread::start("pyhost-attend", base::kPythonStackBytes, [this] { serve(); });
  if (thread) thread->detach();
  return thread.has_value();
}

void InterpreterExecutor::ask() {
  {
    const std::lock_guard lock(mutex_);
    if (asked_at_) return;
    asked_at_ = base::Clock::now();
  }
  changed_.notify_all();
}

void InterpreterExecutor::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ask();
}

bool InterpreterExecutor::answered_within(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return !asked_at_ || attached_; });
}

std::optional<base::Clock::time_point> InterpreterExecutor::waiting_since() const {
  const std::lock_guard lock(mutex_);
  return attached_ ? std::nullopt : asked_at_;
}

void InterpreterExecutor::serve() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return asked_at_.has_value(); });
    }
    base::unless_out_of_memory([this] { answer(); }, [] { std::this_thread::sleep_for(kPause); });
  }
}

void InterpreterExecutor::answer() {
  {
    AttachScope py(interpreter_);
    std::vector<Task> tasks;
    {
      const std::lock_guard lock(mutex_);
      attached_ = true;
      tasks = std::exchange(tasks_, {});
    }
    changed_.notify_all();
    for (const Task& task : tasks) {
      base::if_memory_allows([&] { task(py); });
      discard_error(py);
    }
  }
  const std::lock_guard lock(mutex_);
  attached_ = false;
  // What was posted meanwhile waits for the lock anew.
  asked_at_ = tasks_.empty() ? std::nullopt : std::optional(base::Clock::now());
}

}  // namespace pyhost::python

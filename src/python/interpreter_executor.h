// A thread that looks after one interpreter.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "python/attached.h"

namespace pyhost::python {

// Attaches to its interpreter whenever it is asked to, does what it was given and lets go. Its
// thread goes on when the interpreter has ended (threads that were left behind there may still be
// busy) and lives until the process ends, and so does the executor once it was started.
// Thread-safe; nothing but answered_within() waits.
class InterpreterExecutor {
 public:
  // Runs attached, and lets go of the lock for anything that takes its time.
  using Task = std::function<void(Attached&)>;

  explicit InterpreterExecutor(Interpreter& interpreter) : interpreter_(interpreter) {}
  InterpreterExecutor(const InterpreterExecutor&) = delete;
  InterpreterExecutor& operator=(const InterpreterExecutor&) = delete;

  // False when the system refuses a thread.
  bool start();

  // Take the lock once and give it back, unless that is under way.
  void ask();
  void post(Task task);

  // Whether the lock was had for everything asked and posted before.
  bool answered_within(std::chrono::milliseconds patience);
  // Since when the lock cannot be had; nothing when nobody waits for it.
  std::optional<base::Clock::time_point> waiting_since() const;

 private:
  void serve();
  void answer();

  Interpreter& interpreter_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::optional<base::Clock::time_point> asked_at_;
  bool attached_ = false;
  std::vector<Task> tasks_;
};

}  // namespace pyhost::python

// A thread that does what it is given.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/thread.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::python {

// Does its tasks one after the other, in the order they were posted. One that was posted and runs
// out of memory is given up. Has a stack for Python.
// Thread-safe.
class TaskThread {
 public:
  using Task = std::function<void()>;

  // Fails when the system refuses a thread.
  static base::Result<std::unique_ptr<TaskThread>> start(std::string name,
                                                         gateway::ThreadSignals signals);
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;
  // Waits for all that was posted.
  ~TaskThread();

  void post(Task task);
  // Returns when the task is done; throws std::bad_alloc when it does.
  void run(const Task& task);
  // Whether it has something to do.
  bool busy() const noexcept;
  // What it does ten times a second while nothing is posted; an empty task for nothing. Takes
  // effect after the task that runs.
  void set_idle_task(Task task);

  // For a task that does not end: `wake` is called behind every post(), by whoever posts, and has
  // it call run_posted() soon. An empty one ends that; no call of it is under way then. By tasks of
  // the thread.
  void set_wake(std::function<void()> wake);
  // Does what was posted up to now, in order.
  void run_posted();

 private:
  TaskThread() = default;
  Task next();
  Task posted_or_none();
  void serve();

  mutable std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Task> tasks_;      // guarded by mutex_; an empty task ends the thread
  Task idle_task_;              // guarded by mutex_
  bool working_ = false;        // guarded by mutex_
  std::function<void()> wake_;  // guarded by mutex_
  base::NamedThread thread_;
};

}  // namespace pyhost::python

#include "python/task_thread.h"

#include <chrono>
#include <latch>

#include "base/out_of_memory.h"
#include "base/signals.h"

namespace pyhost::python {

base::Result<std::unique_ptr<TaskThread>> TaskThread::start(std::string name,
                                                            gateway::ThreadSignals signals) {
  std::unique_ptr<TaskThread> made(new TaskThread);
  PH_TRY(thread, base::NamedThread::start(std::move(name), base::kPythonStackBytes,
                                          [self = made.get(), signals] {
                                            if (signals == gateway::ThreadSignals::open)
                                              base::unblock_signals();
                                            self->serve();
                                          }));
  made->thread_ = std::move(thread);
  return made;
}

TaskThread::~TaskThread() {
  if (!thread_.joinable()) return;
  post({});
  thread_.join();
}

void TaskThread::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (wake_) wake_();
  }
  posted_.notify_one();
}

void TaskThread::run(const Task& task) {
  std::latch done(1);
  bool complete = false;
  post([&] {
    complete = base::unless_out_of_memory(
        [&] {
          task();
          return true;
        },
        [] { return false; });
    done.count_down();
  });
  done.wait();
  if (!complete) throw std::bad_alloc();
}

bool TaskThread::busy() const noexcept {
  const std::lock_guard lock(mutex_);
  return working_ || !tasks_.empty();
}

void TaskThread::set_idle_task(Task task) {
  const std::lock_guard lock(mutex_);
  idle_task_ = std::move(task);
}

void TaskThread::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  if (wake_ && !tasks_.empty()) wake_();
}

// An empty task stays where it is: it ends the thread.
TaskThread::Task TaskThread::posted_or_none() {
  const std::lock_guard lock(mutex_);
  if (tasks_.empty() || !tasks_.front()) return {};
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

void TaskThread::run_posted() {
  while (const Task task = posted_or_none()) base::if_memory_allows(task);
}

TaskThread::Task TaskThread::next() {
  constexpr std::chrono::milliseconds kBetweenIdleTasks{100};
  std::unique_lock lock(mutex_);
  working_ = false;
  const auto posted = [this] { return !tasks_.empty(); };
  if (!idle_task_) {
    posted_.wait(lock, posted);
  } else if (!posted_.wait_for(lock, kBetweenIdleTasks, posted)) {
    return idle_task_;
  }
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  working_ = true;
  return task;
}

void TaskThread::serve() {
  while (const Task task = next()) base::if_memory_allows(task);
}

}  // namespace pyhost::python

#include "python/task_thread.h"

#include <latch>

#include "pyhost/base/out_of_memory.h"
#include "pyhost/base/signals.h"

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

void TaskThread::serve() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      posted_.wait(lock, [this] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    if (!task) return;
    base::if_memory_allows(task);
  }
}

}  // namespace pyhost::python

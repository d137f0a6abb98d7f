// Keeps a busy thread of one interpreter from starving the others (CPython up to 3.12).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread.h"
#include "python/interpreter_executor.h"

namespace pyhost::python {

// Up to CPython 3.12 all interpreters share one lock, and a thread that waits for it asks only the
// threads of its own interpreter to let go: a computing request of one application group stops all
// others until it ends. While requests are in flight the watch tries every few milliseconds to get
// the lock for the main interpreter; when that takes too long, one executor per interpreter
// asks for the lock, and the one in the busy thread's interpreter makes it give way. On later
// versions nothing of this exists. Its threads live until the process ends.
class StarvationWatch {
 public:
  StarvationWatch();
  ~StarvationWatch();
  StarvationWatch(const StarvationWatch&) = delete;
  StarvationWatch& operator=(const StarvationWatch&) = delete;

  // Begins to watch, before the first sub-interpreter is made; later calls change nothing. Not by
  // two threads at a time; not attached.
  void begin(Interpreter& main);
  // A sub-interpreter is there. Not attached.
  void add(Interpreter& interpreter);

  // Somebody needs the lock now and then during the scope's life. Any thread.
  class InFlight {
   public:
    explicit InFlight(StarvationWatch& watch) noexcept : watch_(watch) { watch_.request_begins(); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { watch_.request_ends(); }

   private:
    StarvationWatch& watch_;
  };

 private:
  void request_begins() noexcept;
  void request_ends() noexcept;
  void watch();
  void wait_for_requests();

  std::atomic<int> in_flight_ = 0;
  std::atomic<bool> asleep_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<InterpreterExecutor> probe_;  // set before the watch's thread starts
  std::vector<std::unique_ptr<InterpreterExecutor>> executors_;  // guarded by mutex_
};

}  // namespace pyhost::python

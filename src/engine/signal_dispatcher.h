// Tells applications of signals.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "python/registry.h"
#include "python/task_thread.h"

namespace pyhost::engine {

// Calls what applications have subscribed for signals on a thread of its own, which is made when it
// is first needed: a callback that takes its time keeps nothing waiting but the next signal. It
// lives until the process ends, as its thread may be in a callback for ever.
class SignalDispatcher {
 public:
  SignalDispatcher(python::InterpreterRegistry& interpreters, gateway::ThreadSignals thread_signals)
      : interpreters_or_null_(&interpreters), thread_signals_(thread_signals) {}
  SignalDispatcher(const SignalDispatcher&) = delete;
  SignalDispatcher& operator=(const SignalDispatcher&) = delete;

  // Returns at once. Without memory, or a thread, nobody is told. By one thread.
  void announce(int signal) noexcept;
  // Nothing is told any more, and the interpreters' registry may go.
  void close() noexcept;

 private:
  void post(int signal);
  void publish(int signal);
  std::vector<python::Interpreter*> interpreters();

  std::mutex mutex_;
  python::InterpreterRegistry* interpreters_or_null_;  // guarded by mutex_
  const gateway::ThreadSignals thread_signals_;
  std::atomic<std::uint64_t> waiting_ = 0;  // a bit for each signal
  std::unique_ptr<python::TaskThread> thread_;
};

}  // namespace pyhost::engine

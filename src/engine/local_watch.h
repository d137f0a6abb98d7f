// Watches over the interpreters of this process.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "pyhost/gateway/engine_watch.h"
#include "python/attendant.h"
#include "python/registry.h"

namespace pyhost::engine {

// Has an attendant for every interpreter, made when it is first needed; these live until the
// process ends.
class LocalWatch final : public gateway::EngineWatch {
 public:
  explicit LocalWatch(python::InterpreterRegistry& interpreters) : interpreters_(interpreters) {}

  ~LocalWatch() override;

  void interrupt(const gateway::Exchange& exchange, TimePoint moment) noexcept override;
  void interrupt_preloads() noexcept override;
  void collect_stacks(std::function<void(std::string_view)> take) noexcept override;
  std::string stacks_without_lock() noexcept override;
  std::optional<gateway::LockWait> probe_locks() noexcept override;
  bool script_loaded() const noexcept override {
    return script_loaded_.load(std::memory_order_relaxed);
  }

  // From the request path: a store only the first time.
  void note_script_loaded() noexcept {
    if (!script_loaded()) script_loaded_.store(true, std::memory_order_relaxed);
  }

 private:
  template <class F>
  void for_each(F action);

  python::InterpreterRegistry& interpreters_;
  std::atomic<bool> script_loaded_ = false;
  std::mutex mutex_;
  // Guarded by mutex_; null for an interpreter whose attendant could not be started.
  std::map<python::Interpreter*, std::unique_ptr<python::Attendant>> attendants_;
};

}  // namespace pyhost::engine

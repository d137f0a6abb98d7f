// Watches over the interpreters of this process.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "pyhost/gateway/engine_watch.h"
#include "python/interpreter_executor.h"
#include "python/registry.h"
#include "python/script_loader.h"

namespace pyhost::engine {

// Has an executor for every interpreter, made when it is first needed; these live until the
// process ends.
class LocalWatch final : public gateway::EngineWatch {
 public:
  LocalWatch(python::InterpreterRegistry& interpreters, python::LoadingRules& loading)
      : interpreters_(interpreters), loading_(loading) {}

  ~LocalWatch() override;

  void interrupt(const gateway::Caller& caller, base::TimePoint moment) noexcept override;
  void interrupt_preloads() noexcept override;
  std::size_t collect_stacks(gateway::StackOwners whose,
                             std::function<void(std::string_view)> take) noexcept override;
  std::string stacks_without_lock() noexcept override;
  std::optional<gateway::InterpreterWait> probe_locks() noexcept override;
  LoopProbe probe_loops() noexcept override;
  void lock_wait_told() noexcept override { lock_wait_told_ = true; }
  // Whether that was called.
  bool lock_wait_is_told() const noexcept { return lock_wait_told_; }
  unsigned imports() const noexcept override { return loading_.imports; }
  std::vector<gateway::Script> imported_scripts() override;
  bool serves_by_loops_only() override;
  void accept_changes_until(std::int64_t moment_us) noexcept override {
    loading_.accepted_until_us = moment_us;
  }

 private:
  template <class F>
  void for_each(F action);

  python::InterpreterRegistry& interpreters_;
  python::LoadingRules& loading_;
  std::atomic<bool> lock_wait_told_ = false;
  std::mutex mutex_;
  // Guarded by mutex_; null for an interpreter whose executor could not be started.
  std::map<python::Interpreter*, std::unique_ptr<python::InterpreterExecutor>> executors_;
};

}  // namespace pyhost::engine

// A worker whose application has changed, between its last request and its successor.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "pyhost/base/log.h"
#include "pyhost/gateway/engine_watch.h"
#include "scoreboard/report_writer.h"
#include "worker/script_imports.h"
#include "worker/stop_events.h"
#include "worker/thread_pool.h"

namespace pyhost::worker {

// What a withdrawal works with; all of it outlives it.
struct WithdrawalSurroundings {
  std::string label;  // "worker 0 of process group 'blog'"
  scoreboard::ReportWriter& report;
  gateway::EngineWatch* watch_or_null;
  ScriptImports& imports;
  StopEvents& events;
  base::LogSink& log;
};

// A worker that is withdrawn serves nobody until the supervisor ends it, or puts it back because
// there will be no successor.
class Withdrawal {
 public:
  // How often a worker that is withdrawn looks whether it is put back.
  static constexpr std::chrono::milliseconds kBetweenLooks{20};

  explicit Withdrawal(WithdrawalSurroundings surroundings) noexcept
      : worker_(std::move(surroundings)) {}

  // `script` has changed since it was imported. From any thread.
  WhenOutdated begin(std::string_view script);

  // Whether the worker is withdrawn; connections that come meanwhile wait for whoever serves the
  // slot next. The pool's owner calls it after begin() has poked it, and every kBetweenLooks while
  // it is true.
  bool attend(ThreadPool& pool);

  // As of the last attend(). The pool's owner.
  bool withdrawn() const noexcept { return !accepting_; }

 private:
  bool put_back_locked();

  const WithdrawalSurroundings worker_;
  bool accepting_ = true;  // the pool's owner's
  std::mutex mutex_;
  bool withdrawn_ = false;              // these two are guarded by it
  std::int64_t accepted_until_us_ = 0;  // see gateway::EngineWatch
};

}  // namespace pyhost::worker

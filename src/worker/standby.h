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

// What a worker stands by with; all of it outlives its Standby.
struct StandbySurroundings {
  std::string label;  // "worker 0 of process group 'blog'"
  scoreboard::ReportWriter& report;
  gateway::EngineWatch* watch_or_null;
  ScriptImports& imports;
  StopEvents& events;
  base::LogSink& log;
};

// A worker that stands by serves nobody until the supervisor ends it, or puts it back because there
// will be no successor.
class Standby {
 public:
  // How often a worker that stands by looks whether it is put back.
  static constexpr std::chrono::milliseconds kBetweenLooks{20};

  explicit Standby(StandbySurroundings surroundings) noexcept : worker_(std::move(surroundings)) {}

  // `script` has changed since it was imported. From any thread.
  WhenOutdated stand_by(std::string_view script);

  // Whether the worker stands by; connections that come meanwhile wait for whoever serves the slot
  // next. The pool's owner calls it after stand_by() has poked it, and every kBetweenLooks while it
  // is true.
  bool attend(ThreadPool& pool);

  // As of the last attend(). The pool's owner.
  bool stands_by() const noexcept { return !accepting_; }

 private:
  bool come_back_locked();

  const StandbySurroundings worker_;
  bool accepting_ = true;  // the pool's owner's
  std::mutex mutex_;
  bool stands_by_ = false;              // these two are guarded by it
  std::int64_t accepted_until_us_ = 0;  // see gateway::EngineWatch
};

}  // namespace pyhost::worker

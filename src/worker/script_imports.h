// The scripts of a worker: imported at its start, and made known for its successor.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/worker_brief.h"
#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/python_life.h"
#include "worker/lacked_scripts.h"
#include "worker/stop_events.h"

namespace pyhost::worker {

// What the imports work with; all of it outlives them.
struct ImportSurroundings {
  std::string label;  // "worker 0 of process group 'blog'"
  const control::WorkerBrief& brief;
  gateway::PythonLife& python;
  StopEvents& events;
  LackedScripts& lacked;
  base::LogSink& log;
};

// The log of imports that may be told to end: that a script follows is no failure.
class ImportLog final : public base::LogSink {
 public:
  explicit ImportLog(base::LogSink& log) noexcept : log_(log) {}

  // From here on.
  void told_to_end() noexcept { told_to_end_ = true; }

  bool wants(base::LogLevel level) const noexcept override { return log_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
  void log_application(const base::ApplicationRecord& record) noexcept override {
    log_.log_application(record);
  }

 private:
  base::LogSink& log_;
  std::atomic<bool> told_to_end_ = false;
};

class ScriptImports {
 public:
  explicit ScriptImports(ImportSurroundings surroundings) noexcept
      : worker_(std::move(surroundings)), log_(worker_.log) {}

  // Imports what is configured and what the predecessor had, on a thread of its own: for Python's
  // stack, and so that the calling main thread hears signals meanwhile. A script that cannot be
  // imported is logged and lacked. False when the worker was told to end.
  base::Result<bool> import_all();

  // Of import_all(), the first one.
  const std::optional<base::Error>& failure() const noexcept { return failure_; }

  // Tells the supervisor what has been imported since the last time, and when it returns, all of
  // that has been told. From any thread; on the one that has imported, so that the supervisor knows
  // it before anybody knows of the reply, or of a change. Whether there was something to tell.
  bool report() noexcept;

 private:
  bool wait();
  bool report_new();
  void run();
  void import(const gateway::Script& preload);
  bool is_still_served(const gateway::Script& import) const;

  const ImportSurroundings worker_;
  ImportLog log_;
  std::atomic<bool> done_ = false;
  std::atomic<bool> stopping_ = false;  // no further script is imported
  std::optional<base::Error> failure_;  // the importing thread's until it is done
  std::atomic<unsigned> count_reported_ = 0;
  std::mutex report_mutex_;
  std::vector<gateway::Script> reported_;  // guarded by it
};

}  // namespace pyhost::worker

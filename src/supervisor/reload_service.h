// Renews groups when files of their reload-on= change.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/watched_paths.h"
#include "supervisor/worker_group.h"

namespace pyhost::supervisor {

// Single-threaded, in the thread of the loop. The loop, the groups and the log outlive it.
class ReloadService {
 public:
  ReloadService(EventLoop& loop, std::list<WorkerGroup>& groups, base::LogSink& log) noexcept
      : loop_(loop), groups_(groups), log_(log) {}
  ReloadService(const ReloadService&) = delete;
  ReloadService& operator=(const ReloadService&) = delete;
  ~ReloadService() { close(); }

  // Watches what the groups that are wanted now name. What is watched already stays so.
  void follow();
  // Watches nothing any more.
  void close() noexcept;

  // Renews the groups whose files have changed.
  void advance(TimePoint now);
  std::optional<TimePoint> next_deadline() const noexcept;

 private:
  // Who owns the files decides how much there is to look at, so looking is paced: the files of one
  // group get at most a tenth of a processor, all together at most half of one.
  static constexpr int kRestOfGroup = 9;
  static constexpr int kRestOfAll = 1;

  struct Watch {
    std::vector<std::string> globs;       // as they are configured
    std::unique_ptr<WatchedPaths> paths;  // null when there is no watching at all
    std::string problem;                  // that was logged
    TimePoint rests_until{};
  };

  base::Result<> open_watches();
  void begin(const WorkerGroup& group);
  void look(const std::string& name, Watch& watch, TimePoint now);
  std::optional<TimePoint> deadline_of(const Watch& watch) const noexcept;
  void report(const std::string& group, Watch& watch, const std::string& problem);
  WorkerGroup* find(const std::string& name) noexcept;

  EventLoop& loop_;
  std::list<WorkerGroup>& groups_;
  base::LogSink& log_;
  std::unique_ptr<FolderWatches> folders_;  // when anything is watched
  std::map<std::string, Watch> watches_;    // by the name of the group
  std::string last_;                        // that was looked at
  TimePoint rests_until_{};
};

}  // namespace pyhost::supervisor

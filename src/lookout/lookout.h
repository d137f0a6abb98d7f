// Watches files for the supervisor, with the rights of those whom they belong to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "control/watch_list.h"
#include "lookout/watched_paths.h"

namespace pyhost::lookout {

// All of pyhost-lookout but its start. Single-threaded.
class Lookout {
 public:
  // Reports over that socket, where it is also told what else to watch. It stays the caller's.
  explicit Lookout(int supervisor) noexcept : supervisor_(supervisor) {}

  // What is watched already stays so.
  void follow(const control::WatchList& list);
  // Until the supervisor has closed its end.
  void run();

 private:
  // Others use the machine too: the files of one group get at most a tenth of a processor, all
  // together at most half of one.
  static constexpr int kRestOfGroup = 9;
  static constexpr int kRestOfAll = 1;

  struct Watch {
    std::vector<std::string> globs;       // as they are configured
    std::unique_ptr<WatchedPaths> paths;  // null when there is no watching at all
    std::string problem;                  // that was reported
    base::TimePoint rests_until{};
  };

  base::Result<> open_folders();
  void begin(const std::string& group, const std::vector<std::string>& globs,
             std::int64_t since_us);
  void advance(base::TimePoint now);
  void look(const std::string& group, Watch& watch);
  void take_events();
  bool heed_supervisor();
  void report_problem(const std::string& group, Watch& watch, const std::string& problem) const;
  void report(const control::WatchReport& report) const;
  std::optional<base::TimePoint> deadline_of(const Watch& watch) const noexcept;
  std::optional<base::TimePoint> next_deadline() const noexcept;

  const int supervisor_;
  std::unique_ptr<FolderWatches> folders_;  // when anything is watched
  std::map<std::string, Watch> watches_;    // by the name of the group
  std::string last_;                        // that was looked at
  base::TimePoint rests_until_{};
};

}  // namespace pyhost::lookout

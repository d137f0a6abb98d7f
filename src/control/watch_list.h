// What the supervisor and pyhost-lookout, which watches the files of reload-on= for it, tell each
// other.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/file_identity.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::control {

// What is to be watched: on kWorkerSettingsFd when a lookout starts, and with
// WorkerOrder::Kind::watch when something is different.
struct WatchList {
  // From when on changes count, in microseconds since the epoch.
  std::int64_t since_us = 0;
  std::map<std::string, std::vector<std::string>> globs;  // by process group

  bool operator==(const WatchList&) const = default;
};

std::string to_json(const WatchList& list);
// The text of a file that the supervisor has made. Fails for anything that to_json() does not give,
// and with a sentence of its own for a list of another build.
base::Result<WatchList> read_watch_list(int file);

// One line of JSON over kWorkerStatusFd.
struct WatchReport {
  std::string group;
  // A file that is different, and when the burst of changes that it belongs to has ended; or, when
  // it is "", `problem`: why not everything is watched, "" when it is again.
  std::string changed;
  std::chrono::steady_clock::time_point at{};
  // Which file that is now, when it is the only one that is different; else kNoFile.
  base::FileIdentity file{};
  std::string problem;

  bool operator==(const WatchReport&) const = default;
};

std::string to_json(const WatchReport& report);
std::optional<WatchReport> parse_watch_report(std::string_view json);

}  // namespace pyhost::control

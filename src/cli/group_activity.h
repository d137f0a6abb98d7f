// What the requests of process groups were like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantile.h"

namespace pyhost::cli {

// Of one group, since a moment.
struct GroupActivity {
  double requests = 0;
  double errors = 0;                    // as pyhost_request_errors_total
  double rejected = 0;                  // as pyhost_requests_rejected_total
  std::vector<base::Bucket> durations;  // seconds
  std::vector<base::Bucket> queue_waits;
};

// By the names of the groups.
using Activities = std::map<std::string, GroupActivity>;

// Of an answer to the command status, since the group was made. Empty when it has no figures.
Activities activities_in(std::string_view answer);
// What has come since then.
GroupActivity since(const GroupActivity& then, GroupActivity now);

// "1200 requests, 3 errors, 1 rejected; p50 4 ms, p95 20 ms, p99 0.9 s; p95 in the queue 2 ms".
std::string describe(const GroupActivity& activity);
// "12.3 requests/s, ..." for what has come in so many seconds.
std::string describe(const GroupActivity& activity, double seconds);

}  // namespace pyhost::cli

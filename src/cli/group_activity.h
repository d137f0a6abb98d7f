// What the requests of process groups were like.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyhost::cli {

// How many values there were up to each bound.
struct Distribution {
  struct Bucket {
    std::optional<double> up_to_seconds;  // nothing: any
    double number = 0;

    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets;

  double number() const noexcept { return buckets.empty() ? 0 : buckets.back().number; }
  // The value that this share of all is not above, as the buckets tell; 0 when there are none.
  double quantile(double share) const noexcept;
};

// Of one group, since a moment.
struct GroupActivity {
  double requests = 0;
  double errors = 0;    // as pyhost_request_errors_total
  double rejected = 0;  // as pyhost_requests_rejected_total
  Distribution durations;
  Distribution queue_waits;
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

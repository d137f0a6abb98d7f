#include "cli/group_activity.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/time_text.h"

namespace pyhost::cli {
namespace {

using Json = nlohmann::json;
using Buckets = std::vector<base::Bucket>;

// Each sample of a family with the group that it is about. What is not as it should be is passed
// over: it may come from a supervisor of another build.
template <class Visitor>
void for_each_sample(const Json& figures, const char* family, Visitor visit) {
  const auto samples = figures.find(family);
  if (samples == figures.end() || !samples->is_array()) return;
  for (const Json& sample : *samples) {
    const Json::json_pointer place("/labels/group");
    if (!sample.is_object() || !sample.contains(place) || !sample.at(place).is_string()) continue;
    visit(sample.at(place).get<std::string>(), sample);
  }
}

double value_of(const Json& sample) {
  const auto value = sample.find("value");
  return value == sample.end() || !value->is_number() ? 0 : value->get<double>();
}

// Those of all application groups together; they have the same bounds. In the answer a bucket has
// those below it as well.
void add(const Json& sample, Buckets& sum) {
  const auto buckets = sample.find("buckets");
  if (buckets == sample.end() || !buckets->is_array()) return;
  sum.resize(std::max(sum.size(), buckets->size()),
             {.up_to = std::numeric_limits<double>::infinity()});
  double below = 0;
  for (std::size_t i = 0; i < buckets->size(); ++i) {
    const Json& bucket = (*buckets)[i];
    if (!bucket.is_array() || bucket.size() != 2 || !bucket[1].is_number()) continue;
    if (bucket[0].is_number()) sum[i].up_to = bucket[0].get<double>();
    sum[i].number += std::max(0.0, bucket[1].get<double>() - below);
    below = bucket[1].get<double>();
  }
}

void subtract(const Buckets& then, Buckets& now) {
  for (std::size_t i = 0; i < std::min(then.size(), now.size()); ++i) {
    now[i].number = std::max(0.0, now[i].number - then[i].number);
  }
}

std::string times_of(const GroupActivity& activity) {
  constexpr double kMedian = 0.5, kMost = 0.95, kNearlyAll = 0.99;
  const auto time = [](const Buckets& buckets, double part) {
    return base::time_text(base::quantile(buckets, part).value_or(0));
  };
  std::string text;
  if (base::quantile(activity.durations, kMost)) {
    text = fmt::format("; p50 {}, p95 {}, p99 {}", time(activity.durations, kMedian),
                       time(activity.durations, kMost), time(activity.durations, kNearlyAll));
  }
  if (base::quantile(activity.queue_waits, kMost)) {
    text += fmt::format("; p95 in the queue {}", time(activity.queue_waits, kMost));
  }
  return text;
}

}  // namespace

Activities activities_in(std::string_view answer) {
  Activities activities;
  const Json json = Json::parse(answer, nullptr, false);
  const auto figures = json.is_object() ? json.find("figures") : json.end();
  if (figures == json.end() || !figures->is_object()) return activities;
  const auto sum_up = [&](const char* family, double GroupActivity::*member) {
    for_each_sample(*figures, family, [&](const std::string& group, const Json& sample) {
      activities[group].*member += value_of(sample);
    });
  };
  const auto gather = [&](const char* family, Buckets GroupActivity::*member) {
    for_each_sample(*figures, family, [&](const std::string& group, const Json& sample) {
      add(sample, activities[group].*member);
    });
  };
  sum_up("pyhost_requests_total", &GroupActivity::requests);
  sum_up("pyhost_request_errors_total", &GroupActivity::errors);
  sum_up("pyhost_requests_rejected_total", &GroupActivity::rejected);
  gather("pyhost_request_duration_seconds", &GroupActivity::durations);
  gather("pyhost_queue_wait_seconds", &GroupActivity::queue_waits);
  return activities;
}

GroupActivity since(const GroupActivity& then, GroupActivity now) {
  now.requests = std::max(0.0, now.requests - then.requests);
  now.errors = std::max(0.0, now.errors - then.errors);
  now.rejected = std::max(0.0, now.rejected - then.rejected);
  subtract(then.durations, now.durations);
  subtract(then.queue_waits, now.queue_waits);
  return now;
}

std::string describe(const GroupActivity& activity) {
  return fmt::format("{:.0f} requests, {:.0f} errors, {:.0f} rejected{}", activity.requests,
                     activity.errors, activity.rejected, times_of(activity));
}

std::string describe(const GroupActivity& activity, double seconds) {
  return fmt::format("{:.1f} requests/s, {:.1f} errors/s, {:.1f} rejected/s{}",
                     activity.requests / seconds, activity.errors / seconds,
                     activity.rejected / seconds, times_of(activity));
}

}  // namespace pyhost::cli

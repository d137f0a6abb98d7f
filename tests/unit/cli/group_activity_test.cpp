#include "cli/group_activity.h"

#include <gmock/gmock.h>

#include <limits>

namespace pyhost::cli {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

constexpr char kAnswer[] = R"json({"figures":{
  "pyhost_requests_total":[
    {"labels":{"group":"one","app":"","code_class":"2xx"},"value":90},
    {"labels":{"group":"one","app":"shop","code_class":"5xx"},"value":10},
    {"labels":{"group":"two","app":"","code_class":"2xx"},"value":3}],
  "pyhost_request_errors_total":[{"labels":{"group":"one","cause":"exception"},"value":4}],
  "pyhost_request_duration_seconds":[
    {"labels":{"group":"one","app":""},
     "buckets":[[0.01,40],[0.1,80],[null,90]],"sum":1,"count":90},
    {"labels":{"group":"one","app":"shop"},
     "buckets":[[0.01,10],[0.1,10],[null,10]],"sum":1,"count":10}]}})json";

TEST(GroupActivity, IsSummedUpOverApplicationGroups) {
  const Activities activities = activities_in(kAnswer);
  ASSERT_EQ(activities.size(), 2u);
  EXPECT_EQ(describe(activities.at("one")),
            "100 requests, 4 errors, 0 rejected; p50 10 ms, p95 100 ms, p99 100 ms");
  EXPECT_EQ(describe(activities.at("two")), "3 requests, 0 errors, 0 rejected");
}

TEST(GroupActivity, SinceAMomentIsTheDifference) {
  GroupActivity now{.requests = 30, .errors = 2};
  now.durations = {{2, 8}, {kInfinite, 0}};
  now.queue_waits = {{0.001, 4}, {kInfinite, 0}};
  GroupActivity then{.requests = 10, .errors = 1};
  then.durations = {{2, 4}, {kInfinite, 0}};
  EXPECT_EQ(describe(since(then, now), 4),
            "5.0 requests/s, 0.2 errors/s, 0.0 rejected/s; p50 1.0 s, p95 1.9 s, p99 2.0 s; p95 in "
            "the queue 0.9 ms");
  // A group that was made anew has less.
  EXPECT_EQ(describe(since(now, then), 4), "0.0 requests/s, 0.0 errors/s, 0.0 rejected/s");
}

TEST(GroupActivity, OfAnotherVersionIsPassedOver) {
  for (const char* answer :
       {"", "[]", "{}", R"({"figures":1})", R"({"figures":{"pyhost_requests_total":1}})",
        R"({"figures":{"pyhost_requests_total":[1,{"labels":1},{"labels":{"group":1}}]}})"}) {
    EXPECT_TRUE(activities_in(answer).empty()) << answer;
  }
  EXPECT_EQ(describe(activities_in(R"({"figures":{"pyhost_request_duration_seconds":[
      {"labels":{"group":"one"},"buckets":[1,[2],[null,"x"]]}]}})")
                         .at("one")),
            "0 requests, 0 errors, 0 rejected");
}

}  // namespace
}  // namespace pyhost::cli

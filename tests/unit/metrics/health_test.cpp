#include "metrics/health.h"

#include <gtest/gtest.h>

namespace pyhost::metrics {
namespace {

using scoreboard::SlotState;
using State = ScriptStatus::State;

GroupSnapshot serving() {
  return {.workers = {{.state = SlotState::ready}, {.state = SlotState::starting}}};
}

ScriptStatus script(State state) {
  return {.script = "/srv/shop.wsgi", .state = state, .reason = "NameError: no shop"};
}

TEST(Health, IsGoodWhenAWorkerTakesRequests) {
  EXPECT_TRUE(health_of(serving()).serves);
  EXPECT_EQ(health_of(serving()).text, "serving");
}

TEST(Health, IsBadWhenNoneDoes) {
  EXPECT_FALSE(health_of({}).serves);
  GroupSnapshot group{.workers = {{.state = SlotState::dead}}, .reason = "it exited with code 3"};
  EXPECT_FALSE(health_of(group).serves);
  EXPECT_EQ(health_of(group).text, "no worker is ready: it exited with code 3");
  group = serving();
  group.workers[0].silent = true;
  EXPECT_FALSE(health_of(group).serves);
  group = serving();
  group.stopped = true;
  EXPECT_FALSE(health_of(group).serves);
}

// Otherwise one broken deploy would take all servers out of service at once.
TEST(Health, IsGoodWhileTheVersionOfBeforeIsServed) {
  GroupSnapshot group = serving();
  group.scripts = {script(State::current), script(State::kept)};
  EXPECT_TRUE(health_of(group).serves);
  EXPECT_EQ(health_of(group).text,
            "serving, of /srv/shop.wsgi the version of before: NameError: no shop");
  group.scripts.clear();
  group.workers[0].kept_until_us = 1;
  group.reason = "it exited with code 3";
  EXPECT_TRUE(health_of(group).serves);
  EXPECT_EQ(health_of(group).text, "serving, with workers of before: it exited with code 3");
}

TEST(Health, IsBadWhenNothingOfAScriptIsServed) {
  GroupSnapshot group = serving();
  group.scripts = {script(State::kept), script(State::broken)};
  EXPECT_FALSE(health_of(group).serves);
  EXPECT_EQ(health_of(group).text, "nothing is served of /srv/shop.wsgi: NameError: no shop");
}

}  // namespace
}  // namespace pyhost::metrics

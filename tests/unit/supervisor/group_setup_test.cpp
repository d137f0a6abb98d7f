#include "supervisor/group/group_setup.h"

#include <gtest/gtest.h>

#include <functional>

namespace pyhost::supervisor {
namespace {

GroupSetup setup() {
  GroupSetup made;
  made.wanted.options.name = "blog";
  made.wanted.options.reload = settings::Reload::off;
  made.plan.environment = {"PATH=/bin"};
  return made;
}

TEST(GroupSetup, KeepsTheWorkersOfOneThatIsTheSame) {
  const GroupSetup before = setup();
  GroupSetup after = setup();
  EXPECT_TRUE(after.keeps_workers_of(before));
  // Where a list has its descriptors says nothing.
  after.wanted.log = after.wanted.board = after.wanted.reports = 7;
  EXPECT_TRUE(after.keeps_workers_of(before));
}

TEST(GroupSetup, RenewsTheWorkersOfOneThatIsDifferent) {
  const std::function<void(GroupSetup&)> changes[] = {
      [](GroupSetup& group) { group.wanted.options.reload = settings::Reload::rolling; },
      [](GroupSetup& group) { group.wanted.options.threads += 1; },
      [](GroupSetup& group) { group.wanted.worker_settings = R"({"targets":[]})"; },
      [](GroupSetup& group) { group.plan.environment.emplace_back("LANG=C"); },
      [](GroupSetup& group) { group.inputs.env_text = "A=1"; }};
  for (const auto& change : changes) {
    GroupSetup after = setup();
    change(after);
    EXPECT_FALSE(after.keeps_workers_of(setup()));
  }
}

TEST(GroupSetup, StartsWorkersAlikeWhateverTheirEnvironmentWillBe) {
  const GroupSetup group = setup();
  launch::WorkerPlan plan = group.plan;
  plan.environment.clear();
  EXPECT_TRUE(group.starts_as(group.options(), plan));
  plan.cpu_priority = 5;
  EXPECT_FALSE(group.starts_as(group.options(), plan));
}

}  // namespace
}  // namespace pyhost::supervisor

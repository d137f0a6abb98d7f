#include "supervisor/group/deploy_verdict.h"

#include <gtest/gtest.h>

namespace pyhost::supervisor {
namespace {

constexpr std::uint64_t kA = 1, kB = 2, kC = 3;

// A group that has had all three, in a slot whose worker has them; its successor lacks the first.
DeployCase without_a() {
  return {.has = {kB, kC},
          .lacks = {kA},
          .required = {},
          .reasons = {},
          .predecessor_has = {kA, kB, kC},
          .group_has = {kA, kB, kC},
          .has_predecessor = true,
          .scripts_kept_max = 10};
}

TEST(DeployVerdict, OfASuccessorThatBringsNothingIsThatItLeaves) {
  DeployCase deploy = without_a();
  EXPECT_FALSE(judge(deploy).serves);
  deploy.reasons.changed = {kA};
  EXPECT_FALSE(judge(deploy).serves);
}

TEST(DeployVerdict, OfASuccessorWithAnotherChangeIsThatItServesBesideItsPredecessor) {
  DeployCase deploy = without_a();
  deploy.reasons.changed = {kA, kB};
  const DeployVerdict verdict = judge(deploy);
  EXPECT_TRUE(verdict.serves);
  EXPECT_EQ(verdict.kept, ScriptKeys{kA});
}

TEST(DeployVerdict, OfARestartIsTheSame) {
  DeployCase deploy = without_a();
  deploy.reasons.others = true;
  const DeployVerdict verdict = judge(deploy);
  EXPECT_TRUE(verdict.serves);
  EXPECT_EQ(verdict.kept, ScriptKeys{kA});
}

TEST(DeployVerdict, OfARestartOfASuccessorThatHasNothingIsThatItLeaves) {
  DeployCase deploy = without_a();
  deploy.reasons.others = true;
  deploy.has.clear();
  EXPECT_FALSE(judge(deploy).serves);
}

TEST(DeployVerdict, WhereNobodyHasWhatIsLackedIsThatItServes) {
  DeployCase deploy = without_a();
  deploy.group_has = deploy.predecessor_has = {kB, kC};
  const DeployVerdict verdict = judge(deploy);
  EXPECT_TRUE(verdict.serves);
  EXPECT_TRUE(verdict.kept.empty());
}

TEST(DeployVerdict, WhereOtherSlotsHaveWhatIsLackedIsThatTheyKeepIt) {
  DeployCase deploy = without_a();
  deploy.predecessor_has = {kB, kC};
  EXPECT_FALSE(judge(deploy).serves);
  deploy.reasons.changed = {kB};
  const DeployVerdict verdict = judge(deploy);
  EXPECT_TRUE(verdict.serves);
  EXPECT_TRUE(verdict.kept.empty());
}

TEST(DeployVerdict, WithoutAPredecessorIsThatItServes) {
  DeployCase deploy = without_a();
  deploy.has_predecessor = false;
  deploy.predecessor_has.clear();
  EXPECT_TRUE(judge(deploy).serves);
  deploy.required = {kA};
  EXPECT_TRUE(judge(deploy).serves);
}

TEST(DeployVerdict, OfOneThatLacksWhatItWasStartedForIsThatItLeaves) {
  DeployCase deploy = without_a();
  deploy.group_has = deploy.predecessor_has = {kB, kC};
  deploy.required = {kA};
  EXPECT_FALSE(judge(deploy).serves);
}

TEST(DeployVerdict, WhereNoMoreCanBeKeptIsThatItLeaves) {
  DeployCase deploy = without_a();
  deploy.reasons.changed = {kB};
  deploy.scripts_kept_max = 0;
  EXPECT_FALSE(judge(deploy).serves);
}

}  // namespace
}  // namespace pyhost::supervisor

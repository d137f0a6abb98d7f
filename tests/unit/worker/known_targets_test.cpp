#include "worker/known_targets.h"

#include <gtest/gtest.h>

namespace pyhost::worker {
namespace {

TEST(KnownTargets, AreToldApartByGroupScriptAndCallable) {
  KnownTargets known;
  const gateway::Target target{.application_group = "g", .script = "/a.py", .callable = "app"};
  EXPECT_FALSE(known.knows(target));
  known.note(target);
  EXPECT_TRUE(known.knows(target));
  gateway::Target other = target;
  other.callable = "api";
  EXPECT_FALSE(known.knows(other));
  other = target;
  other.script = "/b.py";
  EXPECT_FALSE(known.knows(other));
  other = target;
  other.application_group = "";
  EXPECT_FALSE(known.knows(other));
}

}  // namespace
}  // namespace pyhost::worker

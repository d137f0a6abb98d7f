#include "python/script_state.h"

#include <gtest/gtest.h>

#include <chrono>

namespace pyhost::python {
namespace {

using gateway::ChangedScripts;
using Step = ScriptState::Step;
using namespace std::chrono_literals;

constexpr base::FileIdentity kOld{.inode = 1};
constexpr base::FileIdentity kNew{.inode = 2};
constexpr base::FileIdentity kNewest{.inode = 3};

// One script under one rule; time is what the test says.
class ScriptStateTest : public testing::Test {
 protected:
  Step next(const base::FileIdentity& file = kOld) { return state_.next(rule_, want(file), now_); }
  ScriptState::Wanted want(const base::FileIdentity& file) const {
    return {.file = file, .reloading = reloading_, .accepted_until_us = accepted_until_us_};
  }
  void import(const base::FileIdentity& file = kOld, bool asks = false) {
    ASSERT_EQ(next(file), Step::import);
    state_.imported(want(file), asks, now_us_);
  }
  std::string fail(const std::string& summary, const base::FileIdentity& file = kOld) {
    EXPECT_EQ(next(file), Step::import);
    return state_.failed(want(file), summary, now_);
  }
  Step after(std::chrono::milliseconds time, const base::FileIdentity& file = kOld) {
    now_ += time;
    return next(file);
  }

  ScriptState state_;
  ChangedScripts rule_ = ChangedScripts::reimported;
  base::TimePoint now_{};
  bool reloading_ = true;
  std::int64_t accepted_until_us_ = 0;
  std::int64_t now_us_ = 1'000;
};

TEST_F(ScriptStateTest, ImportsForTheFirstAndHasTheOthersWait) {
  EXPECT_EQ(next(), Step::import);
  EXPECT_EQ(next(), Step::wait);
  EXPECT_EQ(next(kNew), Step::wait);
  state_.imported(want(kOld), false, now_us_);
  EXPECT_EQ(next(), Step::reuse);
}

TEST_F(ScriptStateTest, ImportsAgainWhenTheFileIsAnother) {
  import(kOld);
  const std::uint64_t first = state_.import_number();
  import(kNew);
  EXPECT_NE(state_.import_number(), first);
  EXPECT_EQ(next(kNew), Step::reuse);
}

TEST_F(ScriptStateTest, HeedsNoChangeWithoutReloading) {
  import(kOld, true);
  reloading_ = false;
  EXPECT_EQ(next(kNew), Step::reuse);
}

// --- Imports that fail ---

TEST_F(ScriptStateTest, BacksOffForTwiceAsLongEachTime) {
  fail("ValueError");
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    EXPECT_EQ(after(pause - 1ms), Step::back_off);
    now_ += 1ms;
    fail("ValueError");
  }
}

TEST_F(ScriptStateTest, TriesAnotherFileAtOnce) {
  fail("ValueError", kOld);
  fail("TypeError", kNew);
  EXPECT_EQ(after(1s - 1ms, kNew), Step::back_off);
  EXPECT_EQ(after(1ms, kNew), Step::import);
}

TEST_F(ScriptStateTest, RemembersTheFirstFailureOfAFile) {
  EXPECT_EQ(fail("ImportError: no such module"), "");
  now_ += 1s;
  EXPECT_EQ(fail("RuntimeError: not reentrant"), "ImportError: no such module");
  EXPECT_EQ(*state_.failure_or_null(), "ImportError: no such module");
  EXPECT_EQ(fail("ValueError", kNew), "");
  import(kNewest);
  EXPECT_EQ(state_.failure_or_null(), nullptr);
}

TEST_F(ScriptStateTest, HasNoModuleBehindAFailedReload) {
  import(kOld);
  fail("ValueError", kNew);
  EXPECT_FALSE(state_.has_module());
}

// --- Where a change replaces the process ---

class RefusedChange : public ScriptStateTest {
 protected:
  RefusedChange() { rule_ = ChangedScripts::refused; }
};

TEST_F(RefusedChange, IsLookedAt) {
  import(kOld);
  EXPECT_EQ(next(kNew), Step::look);
  EXPECT_TRUE(state_.has_changed(kNew, 2'000, 0));
}

TEST_F(RefusedChange, IsNoneWhenTheFileIsTheOneThatWasImported) {
  import(kOld);
  EXPECT_EQ(next(kNew), Step::look);
  EXPECT_FALSE(state_.has_changed(kOld, 2'000, 0));
}

TEST_F(RefusedChange, DoesNotCountUpToTheMomentThatWasAccepted) {
  import(kOld);
  EXPECT_FALSE(state_.has_changed(kNew, 2'000, 5'000));
  EXPECT_EQ(next(kNew), Step::reuse);
  // For each moment, one change.
  EXPECT_TRUE(state_.has_changed(kNewest, 3'000, 5'000));
  EXPECT_FALSE(state_.has_changed(kNewest, 3'000, 6'000));
}

TEST_F(RefusedChange, CountsBehindThatMoment) {
  import(kOld);
  EXPECT_TRUE(state_.has_changed(kNew, 5'001, 5'000));
}

TEST_F(RefusedChange, LeavesAFailureAsItIs) {
  fail("ValueError");
  EXPECT_EQ(after(1h), Step::settle);
  EXPECT_EQ(next(kNew), Step::look);
  reloading_ = false;
  EXPECT_EQ(next(kNew), Step::settle);
}

// --- reload_required() ---

TEST_F(ScriptStateTest, AsksTheModuleEachTime) {
  import(kOld, true);
  EXPECT_EQ(next(), Step::ask);
  EXPECT_EQ(next(), Step::ask);
  EXPECT_EQ(state_.reload(rule_, state_.import_number()), Step::import);
  EXPECT_EQ(next(), Step::wait);
}

TEST_F(ScriptStateTest, DoesNotHeedAModuleThatIsNotThereAnyMore) {
  import(kOld, true);
  const std::uint64_t asked = state_.import_number();
  EXPECT_EQ(next(kNew), Step::import);
  EXPECT_EQ(state_.reload(rule_, asked), Step::wait);
  state_.imported(want(kNew), true, now_us_);
  EXPECT_EQ(state_.reload(rule_, asked), Step::wait);
}

TEST_F(RefusedChange, IsAskedForBehindTheFirstUse) {
  reloading_ = false;  // a preload
  import(kOld, true);
  reloading_ = true;
  EXPECT_EQ(next(), Step::reuse);
  EXPECT_EQ(next(), Step::ask);
  EXPECT_EQ(state_.reload(rule_, state_.import_number()), Step::outdated);
}

TEST_F(RefusedChange, IsNotAskedForWhereItWasInVain) {
  import(kOld, true);
  EXPECT_EQ(next(), Step::ask);
  accepted_until_us_ = now_us_;
  EXPECT_EQ(next(), Step::reuse);
}

}  // namespace
}  // namespace pyhost::python

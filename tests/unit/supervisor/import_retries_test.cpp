#include "supervisor/group/import_retries.h"

#include <gtest/gtest.h>

namespace pyhost::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kScript = 7;
const base::TimePoint kStart{1h};

TEST(ImportRetries, ComeAfterAPause) {
  ImportRetries retries;
  EXPECT_FALSE(retries.next_deadline());
  retries.note_wanted(kScript, kStart);
  EXPECT_FALSE(retries.due(kStart));
  EXPECT_EQ(retries.next_deadline(), kStart + 1s);
  EXPECT_EQ(retries.due(kStart + 1s), kScript);
  retries.note_wanted(kScript, kStart + 1s);
  EXPECT_EQ(retries.due(kStart + 1s), kScript);
}

TEST(ImportRetries, ComeAfterLongerAndLongerPausesIfTheScriptIsWanted) {
  ImportRetries retries;
  retries.note_wanted(kScript, kStart);
  base::TimePoint now = kStart + 1s;
  for (const auto pause : {2s, 4s, 8s, 16s, 30s, 30s}) {
    retries.note_failed_retry(kScript, false, now);
    EXPECT_FALSE(retries.due(now + 1h));
    EXPECT_FALSE(retries.next_deadline());
    retries.note_wanted(kScript, now);
    EXPECT_FALSE(retries.due(now + pause - 1ms));
    now += pause;
    EXPECT_EQ(retries.due(now), kScript);
  }
  retries.note_failed_retry(kScript, true, now);
  EXPECT_EQ(retries.due(now + 30s), kScript);
}

TEST(ImportRetries, BeginAnewWhenTheScriptWasImported) {
  ImportRetries retries;
  retries.note_wanted(kScript, kStart);
  retries.note_failed_retry(kScript, true, kStart + 1s);
  retries.forget(kScript);
  EXPECT_FALSE(retries.due(kStart + 1h));
  retries.note_wanted(kScript, kStart + 1h);
  EXPECT_EQ(retries.next_deadline(), kStart + 1h + 1s);
}

TEST(ImportRetries, AttemptOneScriptInOneSlot) {
  ImportRetries retries;
  EXPECT_FALSE(retries.under_way());
  EXPECT_EQ(retries.required_in(2), ScriptKeys());
  retries.begin(2, kScript);
  EXPECT_TRUE(retries.under_way());
  EXPECT_EQ(retries.required_in(2), ScriptKeys{kScript});
  EXPECT_EQ(retries.required_in(1), ScriptKeys());
}

TEST(ImportRetries, EndAnAttemptInVainWhenItsOwnWorkerFails) {
  ImportRetries retries;
  retries.begin(2, kScript);
  EXPECT_FALSE(retries.end_in_vain(1, {kScript}));
  EXPECT_FALSE(retries.end_in_vain(2, {}));
  EXPECT_TRUE(retries.under_way());
  EXPECT_EQ(retries.end_in_vain(2, {kScript}), kScript);
  EXPECT_FALSE(retries.under_way());
  EXPECT_FALSE(retries.end_in_vain(2, {kScript}));
}

TEST(ImportRetries, EndAnAttemptWellWhenItsWorkerServes) {
  ImportRetries retries;
  retries.note_wanted(kScript, kStart);
  retries.begin(2, kScript);
  retries.end_well({});
  EXPECT_TRUE(retries.under_way());
  retries.end_well({kScript});
  EXPECT_FALSE(retries.under_way());
  EXPECT_FALSE(retries.next_deadline());
}

TEST(ImportRetries, DropAnAttemptForAChangeAndStillWantTheScript) {
  ImportRetries retries;
  retries.note_wanted(kScript, kStart);
  retries.begin(2, kScript);
  retries.drop();
  EXPECT_FALSE(retries.under_way());
  EXPECT_EQ(retries.due(kStart + 1s), kScript);
}

TEST(ImportRetries, TakeABoundedPlace) {
  ImportRetries retries;
  for (std::uint64_t script = 0; script < 2 * ImportRetries::kScriptsMax; ++script) {
    retries.note_wanted(script, kStart);
  }
  for (std::uint64_t script = 0; script < ImportRetries::kScriptsMax; ++script) {
    retries.forget(script);
  }
  EXPECT_FALSE(retries.next_deadline());
}

}  // namespace
}  // namespace pyhost::supervisor

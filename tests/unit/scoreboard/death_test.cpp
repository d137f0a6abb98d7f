#include "scoreboard/death.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace pyhost::scoreboard {
namespace {

TEST(Death, IsDescribedByItsCause) {
  EXPECT_EQ(describe({}), "has not ended");
  EXPECT_EQ(describe({DeathCause::exited, 3}), "exited with code 3");
  EXPECT_EQ(describe({DeathCause::exited, kWorkerExitBroken}),
            "ended because the application had closed its descriptors");
  EXPECT_EQ(describe({DeathCause::signalled, SIGSEGV}), "was killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(describe({DeathCause::out_of_memory}),
            "was killed by the kernel because memory ran out");
  EXPECT_EQ(describe({DeathCause::startup_timeout, 15}),
            "was killed because it was not ready within 15 ms");
  EXPECT_EQ(describe({DeathCause::drain_timeout, 20}),
            "was killed because it had not ended within 20 ms");
  EXPECT_EQ(describe({DeathCause::request_timeout}),
            "has ended because a request ran longer than request-timeout");
}

TEST(Death, IsTheSameBehindOneWord) {
  for (const Death& death :
       {Death{DeathCause::exited, 255, 7}, Death{DeathCause::startup_timeout, 60'000, 0xffff'ffff},
        Death{DeathCause::silence, 0, 1}, Death{}}) {
    EXPECT_EQ(unpack_death(pack(death)), death);
  }
}

TEST(Death, HasTheLargestDetailThatOneWordTakes) {
  const std::int64_t large = std::int64_t{1} << 40;
  const Death death = unpack_death(pack({DeathCause::drain_timeout, large, 7}));
  EXPECT_EQ(death, (Death{DeathCause::drain_timeout, (1 << 24) - 1, 7}));
  EXPECT_EQ(unpack_death(pack({DeathCause::exited, -1, 7})), (Death{DeathCause::exited, 0, 7}));
}

TEST(Death, HasNoCauseThatNobodyKnows) {
  EXPECT_EQ(unpack_death(~std::uint64_t{0}).cause, DeathCause::none);
}

TEST(Death, IsOrderlyWhenTheWorkerEndsAsItIsTold) {
  EXPECT_TRUE(is_orderly({DeathCause::exited, 0, 7, 100}));
  EXPECT_FALSE(is_orderly({DeathCause::exited, 3}));
  EXPECT_FALSE(is_orderly({DeathCause::silence}));
}

}  // namespace
}  // namespace pyhost::scoreboard

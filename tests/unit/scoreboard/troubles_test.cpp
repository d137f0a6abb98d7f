// What the supervisor tells httpd's children of what is broken.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>

#include "harness/group_board.h"

namespace pyhost::scoreboard {
namespace {

using test::GroupBoard;
using Kind = Trouble::Kind;

Trouble broken(std::string script) {
  return {.kind = Kind::broken,
          .since_us = 1234,
          .application_group = "shop",
          .script = std::move(script),
          .reason = "ImportError: no module named 'shop'"};
}

TEST(Troubles, AreReadAsTheyWereTold) {
  GroupBoard board(1, 1, 1);
  EXPECT_EQ(board->troubles(), Troubles{});
  const Troubles told{
      .told = {{.reason = "it cannot start"}, broken("/srv/shop.wsgi")}, .number = 2, .current = 7};
  board->tell_troubles(told);
  EXPECT_EQ(board.map_again().troubles(), told);
  board->tell_troubles({});
  EXPECT_EQ(board->troubles(), Troubles{});
}

TEST(Troubles, AreBounded) {
  GroupBoard board(1, 1, 1);
  Troubles many{.number = 100};
  for (int i = 0; i < 100; ++i) {
    many.told.push_back({.application_group = std::string(10'000, 'a'),
                         .script = std::string(10'000, 's'),
                         .reason = std::string(10'000, 'r')});
  }
  board->tell_troubles(many);
  const Troubles seen = board->troubles();
  EXPECT_EQ(seen.number, 100u);
  ASSERT_EQ(seen.told.size(), kTroublesMax);
  EXPECT_EQ(seen.told[7].application_group, std::string(kTroubleGroupBytesMax, 'a'));
  EXPECT_EQ(seen.told[7].script, std::string(kTroubleScriptBytesMax, 's'));
  EXPECT_EQ(seen.told[7].reason, std::string(kTroubleReasonBytesMax, 'r'));
}

TEST(Troubles, AreToldAgainByTheNextOneWhenTheirWriterWasKilled) {
  const auto rows = std::make_unique<TroubleRows>();
  const Troubles told{.told = {broken("/srv/a.wsgi")}, .number = 1};
  write_troubles(*rows, told);
  ++rows->version;
  EXPECT_EQ(read_troubles(*rows), told);
  write_troubles(*rows, told);
  EXPECT_EQ(rows->version.load() % 2, 0u);
}

TEST(Troubles, StayWithinTheirLimitsWhateverIsThere) {
  const auto rows = std::make_unique<TroubleRows>();
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  for (int round = 0; round < 200; ++round) {
    auto* word = reinterpret_cast<std::uint32_t*>(rows.get());
    for (std::size_t i = 0; i < sizeof *rows / sizeof *word; ++i) {
      word[i] = static_cast<std::uint32_t>(random());
    }
    const Troubles seen = read_troubles(*rows);
    EXPECT_LE(seen.told.size(), kTroublesMax);
    for (const Trouble& trouble : seen.told) {
      EXPECT_LE(trouble.reason.size(), kTroubleReasonBytesMax);
      EXPECT_LE(trouble.kind, Kind::start);
    }
  }
}

}  // namespace
}  // namespace pyhost::scoreboard

#include "apache/request/alias_match.h"

#include <gtest/gtest.h>

namespace pyhost::apache {
namespace {

TEST(AliasMatch, CoversWholeComponents) {
  EXPECT_EQ(match_alias("/foo", "/foo"), 4u);
  EXPECT_EQ(match_alias("/foo/", "/foo"), 4u);
  EXPECT_EQ(match_alias("/foo/bar", "/foo"), 4u);
  EXPECT_EQ(match_alias("/foobar", "/foo"), std::nullopt);
  EXPECT_EQ(match_alias("/fo", "/foo"), std::nullopt);
  EXPECT_EQ(match_alias("/Foo", "/foo"), std::nullopt);
  EXPECT_EQ(match_alias("/", "/foo"), std::nullopt);
}

TEST(AliasMatch, NeedsTheSlashThatTheAliasEndsWith) {
  EXPECT_EQ(match_alias("/foo/bar", "/foo/"), 5u);
  EXPECT_EQ(match_alias("/foo/", "/foo/"), 5u);
  EXPECT_EQ(match_alias("/foo", "/foo/"), std::nullopt);
}

TEST(AliasMatch, TakesARunOfSlashesForOne) {
  EXPECT_EQ(match_alias("//foo///bar/x", "/foo/bar"), 11u);
  EXPECT_EQ(match_alias("/foo/bar", "//foo//bar"), 8u);
}

TEST(AliasMatch, OfTheRootCoversEverything) {
  EXPECT_EQ(match_alias("/", "/"), 1u);
  EXPECT_EQ(match_alias("/any/thing", "/"), 1u);
}

TEST(AliasMatch, GivesSlashesAtTheEndBackToTheRest) {
  EXPECT_EQ(without_trailing_slashes("/foo//bar", 6), 4u);
  EXPECT_EQ(without_trailing_slashes("/", 1), 0u);
  EXPECT_EQ(without_trailing_slashes("/foo", 4), 4u);
}

}  // namespace
}  // namespace pyhost::apache

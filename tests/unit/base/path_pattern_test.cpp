#include "base/path_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost {
namespace {

using base::is_under_pattern;

TEST(PathPattern, CoversAPathAndWhatIsBelowIt) {
  EXPECT_TRUE(is_under_pattern("/srv/app", "/srv/app"));
  EXPECT_TRUE(is_under_pattern("/srv/app/a/b.wsgi", "/srv/app"));
  EXPECT_FALSE(is_under_pattern("/srv/apple", "/srv/app"));
  EXPECT_FALSE(is_under_pattern("/srv", "/srv/app"));
  EXPECT_FALSE(is_under_pattern("", "/srv"));
}

TEST(PathPattern, HasAStarForAPartOfOneComponent) {
  EXPECT_TRUE(is_under_pattern("/home/ann/www/x.wsgi", "/home/*/www"));
  EXPECT_TRUE(is_under_pattern("/srv/site-7/x", "/srv/site-*"));
  EXPECT_TRUE(is_under_pattern("/srv/site-/x", "/srv/site-*"));
  EXPECT_FALSE(is_under_pattern("/home/ann/deep/www/x.wsgi", "/home/*/www"));
  EXPECT_FALSE(is_under_pattern("/home/ann/wwwx/x.wsgi", "/home/*/www"));
  EXPECT_FALSE(is_under_pattern("/home", "/home/*"));
}

TEST(PathPattern, HasAQuestionMarkForOneCharacterOfAComponent) {
  EXPECT_TRUE(is_under_pattern("/srv/a1/x", "/srv/a?"));
  EXPECT_FALSE(is_under_pattern("/srv/a/x", "/srv/a?x"));
}

TEST(PathPattern, HasTwoStarsForAnyText) {
  EXPECT_TRUE(is_under_pattern("/srv/a/b/c.wsgi", "/srv/**.wsgi"));
  EXPECT_TRUE(is_under_pattern("/srv/.wsgi", "/srv/**.wsgi"));
  EXPECT_FALSE(is_under_pattern("/srv/a/b/c.py", "/srv/**.wsgi"));
  EXPECT_TRUE(is_under_pattern("/srv/a/b", "/srv/**/b"));
}

TEST(PathPattern, OfManyStarsEndsInGoodTime) {
  std::string pattern = "/a";
  for (int i = 0; i < 100; ++i) pattern += "*a**b";
  EXPECT_FALSE(is_under_pattern("/" + std::string(3000, 'a'), pattern));
}

}  // namespace
}  // namespace pyhost

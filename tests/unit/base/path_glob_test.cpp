#include "base/path_glob.h"

#include <gmock/gmock.h>

namespace pyhost::base {
namespace {

using Kind = PathGlob::Segment::Kind;
using testing::ElementsAre;

std::vector<PathGlob::Segment> segments(std::string_view glob) {
  const auto parsed = PathGlob::parse(glob);
  return parsed ? parsed->segments() : std::vector<PathGlob::Segment>();
}

// Whether a component of a path matches the only one of a glob that is no plain name.
bool matches(const std::string& pattern, std::string_view name) {
  const auto parsed = segments("/srv/" + pattern + "/end");
  return parsed.size() == 3 && parsed[1].matches(name);
}

TEST(PathGlob, HasASegmentForEachComponent) {
  EXPECT_THAT(
      segments("/srv/*/app/**/[a-c].py"),
      ElementsAre(PathGlob::Segment{Kind::name, "srv"}, PathGlob::Segment{Kind::pattern, "*"},
                  PathGlob::Segment{Kind::name, "app"}, PathGlob::Segment{Kind::any_depth, "**"},
                  PathGlob::Segment{Kind::pattern, "[a-c].py"}));
}

TEST(PathGlob, ReadsTwoStarsAtTheEndAsAllFilesAtAnyDepth) {
  EXPECT_EQ(segments("/srv/**"), segments("/srv/**/*"));
}

TEST(PathGlob, NamesMatchThemselves) {
  EXPECT_TRUE(matches("app.py", "app.py"));
  EXPECT_FALSE(matches("app.py", "app_py"));
  EXPECT_TRUE(matches(".env", ".env"));
  EXPECT_TRUE(matches("__pycache__", "__pycache__"));
}

TEST(PathGlob, PatternsMatchAsInAShell) {
  EXPECT_TRUE(matches("app-?.py", "app-1.py"));
  EXPECT_FALSE(matches("app-?.py", "app-12.py"));
  EXPECT_TRUE(matches("*.py", "a.py"));
  EXPECT_FALSE(matches("*.py", "a.pyc"));
  EXPECT_TRUE(matches("[ab].py", "b.py"));
  EXPECT_FALSE(matches("[!ab].py", "b.py"));
  EXPECT_TRUE(matches("[]x].py", "].py"));
  EXPECT_TRUE(matches(R"(a\*)", R"(a\b)"));
}

TEST(PathGlob, PatternsLeaveOutWhatIsHiddenAndCaches) {
  for (const char* pattern : {"*", "**"}) {
    EXPECT_TRUE(matches(pattern, "app")) << pattern;
    EXPECT_FALSE(matches(pattern, ".git")) << pattern;
    EXPECT_FALSE(matches(pattern, "__pycache__")) << pattern;
  }
  EXPECT_TRUE(matches(".e*", ".env"));
}

TEST(PathGlob, IsAbsoluteAndPlain) {
  for (const char* text : {"", "srv/*.py", "/", "/srv/", "/srv//a", "/srv/./a", "/srv/../a"}) {
    EXPECT_FALSE(PathGlob::parse(text)) << text;
  }
}

TEST(PathGlob, ClosesItsBrackets) {
  for (const char* text : {"/srv/[ab", "/srv/[a]/[", "/srv/[]", "/srv/[!]"}) {
    EXPECT_FALSE(PathGlob::parse(text)) << text;
  }
}

TEST(PathGlob, HasTwoStarsOnceAsAComponentOfTheirOwn) {
  for (const char* text : {"/srv/a**/b", "/srv/***", "/srv/**/a/**"}) {
    EXPECT_FALSE(PathGlob::parse(text)) << text;
  }
}

TEST(PathGlob, BeginsWithAName) {
  for (const char* text : {"/*", "/**/a.py", "/[a]/b"}) EXPECT_FALSE(PathGlob::parse(text)) << text;
}

}  // namespace
}  // namespace pyhost::base

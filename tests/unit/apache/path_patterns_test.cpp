#include "apache/config/path_patterns.h"

#include <gtest/gtest.h>

namespace pyhost {
namespace {

using apache::pattern_of_expression;
using apache::pattern_of_glob;
using apache::pattern_of_host_folder;
using apache::pattern_of_substitution;

TEST(PathPatterns, OfADirectorySection) {
  EXPECT_EQ(pattern_of_glob("/srv/apps/*"), "/srv/apps/*");
  EXPECT_EQ(pattern_of_glob("/home/*/public_html/"), "/home/*/public_html");
  EXPECT_EQ(pattern_of_glob("/srv/site[0-9]/app"), "/srv/site?/app");
  EXPECT_EQ(pattern_of_glob("/srv//a**b"), "/srv/a*b") << "httpd has no ** over folders";
  EXPECT_EQ(pattern_of_glob("/srv/a\\[b"), "/srv/a[b");
}

TEST(PathPatterns, SayAtLeastTheFirstFolder) {
  EXPECT_EQ(pattern_of_glob("/"), std::nullopt);
  EXPECT_EQ(pattern_of_glob("/*/app"), std::nullopt);
  EXPECT_EQ(pattern_of_glob("*/app"), std::nullopt);
  EXPECT_EQ(pattern_of_expression("/\\.git"), std::nullopt);
  EXPECT_EQ(pattern_of_expression("^/"), std::nullopt);
  EXPECT_EQ(pattern_of_expression("^(/srv|/opt)/app"), std::nullopt);
  EXPECT_EQ(pattern_of_substitution("$1"), std::nullopt);
  EXPECT_EQ(pattern_of_substitution("-"), std::nullopt);
  EXPECT_EQ(pattern_of_host_folder("/%0"), std::nullopt);
}

TEST(PathPatterns, OfARegularExpression) {
  EXPECT_EQ(pattern_of_expression("^/srv/[^/]+/app$"), "/srv/*/app");
  EXPECT_EQ(pattern_of_expression("^/srv/[^/]+/app"), "/srv/*/app**") << "it may go on";
  EXPECT_EQ(pattern_of_expression("^/srv/(?<name>[^/]+)/app/?$"), "/srv/*/app");
  EXPECT_EQ(pattern_of_expression("^/srv/(one|two)/app$"), "/srv/**/app");
  EXPECT_EQ(pattern_of_expression("^/srv/.*\\.wsgi$"), "/srv/**.wsgi");
  EXPECT_EQ(pattern_of_expression("^/srv/\\w+/v\\d/[a-z.]{2,8}$"), "/srv/*/v?/*");
  EXPECT_EQ(pattern_of_expression("^/srv/(a)?b$"), "/srv/**b");
  EXPECT_EQ(pattern_of_expression("^/srv/[^a]+$"), "/srv/**");
  EXPECT_EQ(pattern_of_expression("^/srv/[+-9]$"), "/srv/**") << "the range has the slash";
  EXPECT_EQ(pattern_of_expression("^/srv/a|/b"), "/srv/a**");
}

TEST(PathPatterns, OfAnExpressionThatIsNotFollowedGoOnWithAnything) {
  EXPECT_EQ(pattern_of_expression("^/srv/app(?!/no)/x$"), "/srv/app**");
  EXPECT_EQ(pattern_of_expression("^/srv/app\\"), "/srv/app**");
  EXPECT_EQ(pattern_of_expression("^/srv/app("), "/srv/app**");
  EXPECT_EQ(pattern_of_expression("^/srv/app{"), "/srv/ap**");
}

TEST(PathPatterns, OfASubstitution) {
  EXPECT_EQ(pattern_of_substitution("/srv/$1/app.wsgi"), "/srv/**/app.wsgi");
  EXPECT_EQ(pattern_of_substitution("/srv/${hosts:%1|none}/%{REQUEST_URI}"), "/srv/**/**");
  EXPECT_EQ(pattern_of_substitution("/srv/\\$1/"), "/srv/$1");
  EXPECT_EQ(pattern_of_substitution("/srv/app.wsgi"), "/srv/app.wsgi");
  EXPECT_EQ(pattern_of_substitution("/srv/${open"), "/srv/**");
}

TEST(PathPatterns, OfTheFolderOfAHost) {
  EXPECT_EQ(pattern_of_host_folder("/srv/%0/public"), "/srv/*/public");
  EXPECT_EQ(pattern_of_host_folder("/srv/%-1.0/%2.1/%3+"), "/srv/*/*/*");
  EXPECT_EQ(pattern_of_host_folder("/srv/a%%b"), "/srv/a%b");
  EXPECT_EQ(pattern_of_host_folder("/srv/%"), "/srv/*");
}

}  // namespace
}  // namespace pyhost

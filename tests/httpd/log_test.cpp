// What reaches httpd's error log.

#include <gmock/gmock.h>

#include "harness/error_log.h"
#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

std::vector<std::string> lines_of_module(const Httpd& httpd, std::string_view with) {
  std::vector<std::string> lines;
  for (const ErrorLogLine& line : parse_error_log(httpd.log())) {
    if (line.module == "wsgi" && line.text.find(with) != line.text.npos) lines.push_back(line.text);
  }
  return lines;
}

TEST(Log, HasARecordForEachLineAnApplicationWrites) {
  Httpd httpd("WSGIScriptAlias /app ${APPS}/chatty.wsgi");
  for (const char* text : {"%s %n one", "two", "three"}) httpd.expect_log(text);
  EXPECT_EQ(httpd.get("/app").body, "done");
  EXPECT_THAT(lines_of_module(httpd, "%s %n one"),
              ElementsAre(AllOf(HasSubstr("[wsgi:error]"), HasSubstr("[client 127.0.0.1:"),
                                EndsWith("] %s %n one"))));
  EXPECT_EQ(lines_of_module(httpd, "] two").size(), 1u);
}

TEST(Log, KeepsTheEndOfATextThatIsTooLongForHttpd) {
  Httpd httpd("WSGIScriptAlias /app ${APPS}/chatty.wsgi");
  httpd.expect_log("PH0174 (");
  EXPECT_EQ(httpd.get("/app/wide").status, 500);
  const auto first = lines_of_module(httpd, "PH0174 (1/");
  ASSERT_EQ(first.size(), 1u);
  const auto records = lines_of_module(httpd, "PH0174 (");
  EXPECT_GE(records.size(), 3u);
  EXPECT_THAT(records.back(), HasSubstr("end-of-text"));
}

TEST(Log, IsThatOfTheVirtualHost) {
  Httpd httpd(R"(
    <VirtualHost *:*>
      ServerName inner
      ErrorLog ${ROOT}/inner.log
      WSGIScriptAlias /app ${APPS}/chatty.wsgi
    </VirtualHost>)");
  EXPECT_EQ(httpd.get("/app").body, "done");
  EXPECT_EQ(lines_of_module(httpd, "two").size(), 0u);
}

TEST(Log, KeepsToItsLevel) {
  Httpd httpd("WSGIScriptAlias /app ${APPS}/chatty.wsgi\nLogLevel wsgi:error");
  httpd.tolerate_log("[wsgi:error]");
  EXPECT_EQ(httpd.get("/app").status, 200);
  EXPECT_EQ(lines_of_module(httpd, "two").size(), 1u);
  EXPECT_EQ(lines_of_module(httpd, "PH0308").size(), 0u);
}

}  // namespace
}  // namespace pyhost::test

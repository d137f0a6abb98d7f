#include "control/check_report.h"

#include <gtest/gtest.h>

namespace pyhost {
namespace {

using control::CheckReport;
using control::parse_check_report;
using control::Severity;

TEST(CheckReport, IsReadAsItWasWritten) {
  const CheckReport report{
      .findings = {{.severity = Severity::warning,
                    .id = "PH0570",
                    .place = "/etc/apache2/shop.conf:3",
                    .sentence = "the script /srv/sh\xf6p.wsgi is missing",
                    .cure = "make it"},
                   {.severity = Severity::advice, .id = "PH0575"}},
      .served = {{.place = "/etc/apache2/shop.conf:4",
                  .server = "shop.example:443",
                  .url = "/",
                  .target = "/srv/shop.wsgi",
                  .process_group = "shop",
                  .user = "shop",
                  .python = "3.11"}},
      .scripts = {{.place = "/etc/apache2/shop.conf:5",
                   .server = "shop.example:443",
                   .line = "WSGIHandlerScript py /srv/py.py",
                   .directive = "WSGIHandlerScript",
                   .script = "/srv/py.py",
                   .by_request = true}},
      .explained = {{.url = "/cart", .alias = "WSGIScriptAlias / /srv/shop.wsgi", .status = 403}}};
  const auto parsed = parse_check_report(to_json(report));
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(*parsed, report);
}

TEST(CheckReport, IsRefusedWhenItIsNone) {
  for (
      const char* text :
      {"", "{", "[]", "{}", R"({"findings":[],"served":[],"explained":[]})",
       R"({"findings":[],"served":{},"scripts":[],"explained":[]})",
       R"({"findings":[1],"served":[],"scripts":[],"explained":[]})",
       R"({"findings":[{"severity":"bad","id":"","place":"","sentence":"","cure":""}],"served":[],"scripts":[],"explained":[]})"}) {
    EXPECT_FALSE(parse_check_report(text)) << text;
  }
}

}  // namespace
}  // namespace pyhost

#include "cli/check_text.h"

#include <gtest/gtest.h>

namespace pyhost {
namespace {

using cli::check_text;
using control::CheckReport;
using control::Severity;

TEST(CheckText, SaysWhoServesWhatAndWhatIsWrong) {
  const CheckReport report{.findings = {{.severity = Severity::warning,
                                         .id = "PH0570",
                                         .place = "/etc/shop.conf:3",
                                         .sentence = "/srv/shop.wsgi does not exist",
                                         .cure = "make it"},
                                        {.severity = Severity::advice,
                                         .id = "PH0575",
                                         .sentence = "nothing leads to it"}},
                           .served = {{.place = "/etc/shop.conf:3",
                                       .server = "shop.example:443",
                                       .url = "/",
                                       .target = "/srv/shop.wsgi",
                                       .process_group = "shop",
                                       .user = "ann",
                                       .python = "3.11 (/srv/venv)"}}};
  EXPECT_EQ(check_text(report),
            "shop.example:443  / -> /srv/shop.wsgi\n"
            "    process group shop (user ann, Python 3.11 (/srv/venv)), main interpreter\n"
            "    /etc/shop.conf:3\n"
            "\n"
            "warning PH0570 /etc/shop.conf:3: /srv/shop.wsgi does not exist\n"
            "    make it\n"
            "advice PH0575: nothing leads to it\n"
            "0 errors, 1 warning, 1 piece of advice\n");
}

TEST(CheckText, SaysWhichOtherLinesRunScriptsAndWhere) {
  const CheckReport report{.scripts = {{.place = "/etc/shop.conf:3",
                                        .server = "shop.example",
                                        .line = "WSGIAccessScript /srv/access.py",
                                        .process_group = "hooks",
                                        .user = "ann",
                                        .python = "3.11"},
                                       {.place = "/etc/shop.conf:4",
                                        .server = "shop.example",
                                        .line = "WSGIHandlerScript py /srv/handler.py",
                                        .by_request = true}}};
  EXPECT_EQ(check_text(report),
            "shop.example  WSGIAccessScript /srv/access.py\n"
            "    process group hooks (user ann, Python 3.11), main interpreter\n"
            "    /etc/shop.conf:3\n"
            "shop.example  WSGIHandlerScript py /srv/handler.py\n"
            "    the process group of whatever request is given to it\n"
            "    /etc/shop.conf:4\n"
            "\n"
            "0 errors, 0 warnings, 0 pieces of advice\n");
}

TEST(CheckText, CallsForMendingButForAdvice) {
  CheckReport report{.findings = {{.severity = Severity::advice}}};
  EXPECT_FALSE(cli::has_mistakes(report));
  report.findings.push_back({.severity = Severity::warning});
  EXPECT_TRUE(cli::has_mistakes(report));
}

TEST(CheckText, TakesWhatHttpdSaysApart) {
  const auto finding = cli::finding_of_httpd(
      "AH00526: Syntax error on line 12 of /etc/apache2/sites-enabled/a b.conf:\n"
      "WSGIDaemonProcess shop: there is no option thread= (the nearest name is 'threads')\n");
  EXPECT_EQ(finding.place, "/etc/apache2/sites-enabled/a b.conf:12");
  EXPECT_EQ(finding.sentence,
            "WSGIDaemonProcess shop: there is no option thread= (the nearest name is 'threads')");
  EXPECT_EQ(cli::finding_of_httpd("apache2: Could not open configuration file\n").sentence,
            "apache2: Could not open configuration file");
  EXPECT_EQ(cli::finding_of_httpd("Syntax error on line 3").sentence, "Syntax error on line 3");
}

struct Asked {
  const char* url;
  const char* host;
  const char* port;
  const char* path;
};

class CheckedUrl : public testing::TestWithParam<Asked> {};

TEST_P(CheckedUrl, IsTakenApart) {
  const Asked& asked = GetParam();
  const auto url = cli::parse_url(asked.url);
  ASSERT_TRUE(url) << asked.url;
  EXPECT_EQ(url->host, asked.host);
  EXPECT_EQ(url->port, asked.port);
  EXPECT_EQ(url->path, asked.path);
}

INSTANTIATE_TEST_SUITE_P(
    As, CheckedUrl,
    testing::Values(Asked{"http://shop.example/cart?id=1#top", "shop.example", "80", "/cart?id=1"},
                    Asked{"https://shop.example", "shop.example", "443", "/"},
                    Asked{"http://shop.example:8080/", "shop.example", "8080", "/"},
                    Asked{"shop.example/cart", "shop.example", "80", "/cart"},
                    Asked{"/cart", "localhost", "80", "/cart"},
                    Asked{"http://[::1]/x", "[::1]", "80", "/x"}));

TEST(CheckedUrl, NeedsAPossiblePort) {
  EXPECT_FALSE(cli::parse_url("http://shop.example:0/"));
  EXPECT_FALSE(cli::parse_url("http://shop.example:web/"));
}

}  // namespace
}  // namespace pyhost

// The page of pyhost-status, from figures that are known.
#include "apache/status/status_html.h"

#include <gmock/gmock.h>

#include "apache/status/html.h"
#include "harness/command.h"
#include "harness/temp_dir.h"
#include "scoreboard/start_reason.h"

namespace pyhost::apache {
namespace {

using metrics::GroupReport;
using metrics::ScriptStatus;
using scoreboard::SlotState;
using test::run_command;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

// As an attacker would name things: URLs and request ids come from clients, reasons and names of
// scripts from applications.
constexpr char kHostile[] =
    "</pre><script>alert(1)</script><img src=x onerror=\"alert('1')\">&\x1b[2J\n";

GroupReport shop() {
  GroupReport group;
  group.snapshot = {.name = "shop",
                    .threads = 5,
                    .waiting = 2,
                    .workers = {{.state = SlotState::ready,
                                 .pid = 4711,
                                 .generation = 3,
                                 .capacity = 5,
                                 .requests = 12'345,
                                 .running = 4,
                                 .resident_bytes = 50 << 20,
                                 .processor_us = 1'500'000},
                                {.state = SlotState::dead, .capacity = 5}}};
  group.threads = 10;
  group.queue = 100;
  scoreboard::ApplicationSums application{.name = "", .totals = {}};
  application.totals.requests[1] = 90;
  application.totals.requests[4] = 10;
  application.totals.durations.buckets[2] = 100;
  group.sums.applications.push_back(application);
  group.sums.requests.failures[static_cast<std::size_t>(gateway::FailureCause::exception)] = 7;
  return group;
}

class StatusHtml : public testing::Test {
 protected:
  std::string page() const { return status_html(page_); }
  // The texts of the page, when it is whole.
  std::string texts() const {
    folder_.write("page.html", page());
    const auto checked =
        run_command({"/usr/bin/python3", TEST_HTML_CHECK, folder_.path() + "/page.html"});
    EXPECT_TRUE(checked.ok()) << checked;
    return checked.output;
  }

  test::TempDir folder_;
  StatusPage page_{.server = "www.example.com",
                   .software = "httpd 2.4.62, Python 3.11",
                   .nonce = "0123456789abcdef",
                   .now_us = 1'700'000'000'000'000,
                   .now = base::Clock::now(),
                   .groups = {shop()}};
};

TEST_F(StatusHtml, SaysHowAGroupIsDoing) {
  page_.groups[0].snapshot.running = {{.began = page_.now - 42s,
                                       .method = "GET",
                                       .path = "/reports",
                                       .id = "4bf92f35",
                                       .slot = 0,
                                       .worker = 4711}};
  EXPECT_THAT(texts(), AllOf(HasSubstr("Everything is served."), HasSubstr("www.example.com"),
                             HasSubstr("2023-11-14 22:13:20 UTC"), HasSubstr("12,345"),
                             HasSubstr("50 MiB"), HasSubstr("/reports"), HasSubstr("42 s"),
                             HasSubstr("worker 0"), HasSubstr("4bf92f35"), HasSubstr("exception"),
                             HasSubstr("7.00 % of all requests"), HasSubstr("4.9 ms")));
}

TEST_F(StatusHtml, SaysWhatIsBroken) {
  page_.groups[0].snapshot.scripts = {{.script = "/srv/shop.wsgi",
                                       .state = ScriptStatus::State::kept,
                                       .reason = "NameError: name 'shpo' is not defined",
                                       .since_us = page_.now_us - 90'000'000}};
  EXPECT_THAT(texts(), AllOf(HasSubstr("is degraded"), HasSubstr("/srv/shop.wsgi"),
                             HasSubstr("the version of before is served, for 90 s"),
                             HasSubstr("NameError: name 'shpo' is not defined")));
  page_.groups[0].snapshot.scripts[0].state = ScriptStatus::State::broken;
  EXPECT_THAT(texts(), AllOf(HasSubstr("is failing"), HasSubstr("nothing is served of it")));
  page_.groups[0].snapshot.scripts.clear();
  page_.groups[0].snapshot.workers[0].state = SlotState::dead;
  page_.groups[0].snapshot.reason = "the worker exited with code 3";
  EXPECT_THAT(texts(), AllOf(HasSubstr("is starting"), HasSubstr("A worker could not start."),
                             HasSubstr("the worker exited with code 3")));
  page_.groups[0].snapshot.stopped = true;
  EXPECT_THAT(texts(), HasSubstr("An operator has stopped it"));
}

TEST_F(StatusHtml, RunsNothingThatOthersWrite) {
  GroupReport& group = page_.groups[0];
  page_.server = page_.software = kHostile;
  group.snapshot.name = kHostile;
  group.snapshot.reason = kHostile;
  group.snapshot.scripts = {{.application_group = kHostile,
                             .script = kHostile,
                             .state = ScriptStatus::State::broken,
                             .reason = std::string(kHostile) + "2"}};
  group.snapshot.running = {
      {.began = page_.now, .method = kHostile, .path = kHostile, .id = kHostile}};
  group.sums.applications[0].name = kHostile;
  EXPECT_THAT(texts(), HasSubstr("<script>alert(1)</script>"));
  EXPECT_THAT(page(), AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("<img")),
                            Not(HasSubstr("\x1b")), HasSubstr("nonce=\"0123456789abcdef\"")));
}

TEST_F(StatusHtml, IsBoundedHoweverMuchRuns) {
  page_.groups[0].snapshot.running.assign(5000, {.began = page_.now, .method = "GET", .path = "/"});
  EXPECT_THAT(texts(), AllOf(HasSubstr("5,000"), HasSubstr("4,900 more, which have begun later.")));
  EXPECT_LT(page().size(), 200'000u);
}

TEST_F(StatusHtml, IsWholeBeforeTheFirstRequest) {
  page_.groups = {GroupReport{}, GroupReport{}};
  page_.groups[1].snapshot.name = "new";
  page_.groups[1].snapshot.workers.resize(1);
  EXPECT_THAT(texts(),
              AllOf(HasSubstr("httpd’s own processes"), HasSubstr("new"),
                    HasSubstr("No request is over yet."), HasSubstr("None at this moment.")));
  page_.groups.clear();
  EXPECT_THAT(texts(), HasSubstr("Everything is served."));
}

TEST(HtmlNumbers, AreForPeople) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'000), "1,000");
  EXPECT_EQ(count_text(12'345'678), "12,345,678");
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(300u << 20), "300 MiB");
}

TEST_F(StatusHtml, LeadsToStacksWhereTheyCanBeHad) {
  page_.groups = {shop()};
  page_.groups.front().snapshot.name = "a&b \"c\"";
  EXPECT_THAT(page(), Not(HasSubstr("stacks=")));
  page_.has_stacks = true;
  EXPECT_THAT(page(), HasSubstr("<a href=\"?stacks=a%26b%20%22c%22\">stacks</a>"));
}

}  // namespace
}  // namespace pyhost::apache

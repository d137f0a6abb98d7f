// What people see of how all is doing: the page of pyhost-status, pyhost-health, slow requests.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/held_requests.h"
#include "httpd/scrape.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

using json = nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kBroken[] = "raise ValueError('not <today>')\n";
constexpr char kConfig[] =
    "WSGIDaemonProcess g threads=2 shutdown-timeout=1\n"
    "WSGIDaemonProcess other\n"
    "WSGIScriptAlias /site ${ROOT}/site.wsgi process-group=g application-group=%{GLOBAL}\n"
    "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g application-group=%{GLOBAL}\n"
    "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n"
    "<Location /health>\n  SetHandler pyhost-health\n  Require all granted\n</Location>\n"
    "<Location /health/g>\n  WSGIProcessGroup g\n</Location>\n";

class Insight : public testing::Test {
 protected:
  CommandResult pyhost(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
    arguments.insert(arguments.end(), {"--server-root", httpd_.root()});
    return run_command(arguments);
  }
  void deploy(std::string_view script) const { replace_file(httpd_.root() + "/site.wsgi", script); }
  Response page() const {
    return httpd_.request(
        {.path = "/figures", .headers = {{"Accept", "text/html,application/xhtml+xml"}}});
  }
  // Its texts, when it is whole.
  std::string texts() const {
    const std::string file = httpd_.write_file("page.html", page().body);
    const CommandResult checked = run_command({"/usr/bin/python3", TEST_HTML_CHECK, file});
    EXPECT_TRUE(checked.ok()) << checked;
    return checked.output;
  }
  bool page_has(const std::string& text) const {
    return wait_until([&] { return page().body.find(text) != std::string::npos; });
  }
  json group(std::size_t number = 0) const {
    return json::parse(httpd_.get("/figures?json").body, nullptr, false)["groups"][number];
  }

  Httpd httpd_{std::string(kConfig) + kFigures,
               {.files = {{"site.wsgi", version(1)}}, .place = Place::embedded}};
};

TEST_F(Insight, TellsBrowsersInAPageThatNeedsNothingElse) {
  EXPECT_EQ(httpd_.get("/site").body, "1");
  ASSERT_TRUE(wait_for_sample(
      httpd_, "pyhost_requests_total{group=\"g\",app=\"%{GLOBAL}\",code_class=\"2xx\"}", 1));
  EXPECT_TRUE(page_has("Everything is served."));
  EXPECT_THAT(texts(), AllOf(HasSubstr("\ng\n"), HasSubstr("other"), HasSubstr("serving"),
                             HasSubstr("since the start")));
  const Response page = this->page();
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("Cache-Control"), "no-store");
  EXPECT_EQ(page.header("Set-Cookie"), std::nullopt);
  EXPECT_EQ(page.header("Vary"), "Accept");
  const std::string policy = page.header("Content-Security-Policy").value_or("");
  EXPECT_THAT(policy, AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
  const std::string nonce = policy.substr(policy.find("'nonce-") + 7, 32);
  EXPECT_THAT(page.body, AllOf(HasSubstr("<style nonce=\"" + nonce + "\">"),
                               HasSubstr("<script nonce=\"" + nonce + "\">")));
  EXPECT_THAT(this->page().body, Not(HasSubstr(nonce)));
}

TEST_F(Insight, IsForReadingOnly) {
  EXPECT_EQ(httpd_.request({.method = "POST", .path = "/figures"}).status, 405);
  EXPECT_EQ(httpd_.request({.method = "POST", .path = "/health"}).status, 405);
  for (const char* path : {"/figures?html", "/health"}) {
    EXPECT_TRUE(wait_until([&] {
      return httpd_.request({.method = "HEAD", .path = path}).status == 200;
    })) << path;
    const Headers through_proxy{{"X-Forwarded-For", "192.0.2.1"}};
    EXPECT_EQ(httpd_.request({.path = path, .headers = through_proxy}).status, 403) << path;
  }
}

TEST_F(Insight, NamesTheRequestsThatRun) {
  {
    HeldRequests held(httpd_, httpd_.make_writable("held"), 2);
    ASSERT_TRUE(held.all_run());
    const json running = group()["running"];
    ASSERT_EQ(running.size(), 2u);
    EXPECT_EQ(running[0]["method"], "GET");
    EXPECT_EQ(running[0]["path"], "/wait");
    EXPECT_EQ(running[0]["id"].get<std::string>().size(), 32u);
    EXPECT_EQ(running[0]["slot"], 0);
    EXPECT_EQ(running[0]["pid"], group()["workers"][0]["pid"]);
    EXPECT_GE(running[0]["age_us"], running[1]["age_us"]);
    EXPECT_EQ(group(1)["running"].size(), 0u);
    const json told = json::parse(pyhost({"status", "g", "--json"}).output, nullptr, false);
    EXPECT_EQ(told["groups"][0]["running"].size(), 2u);
    EXPECT_EQ(told["groups"][0]["running"][0]["id"], running[0]["id"]);
    EXPECT_THAT(texts(), AllOf(HasSubstr("/wait"), HasSubstr("worker 0")));
  }
  EXPECT_TRUE(wait_until([this] { return group()["running"].empty(); }));
}

TEST_F(Insight, ShowsNoStacksUnlessItIsAskedTo) {
  const Response refused = httpd_.get("/figures?stacks=g");
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.body, "Stacks are shown where WSGIStatusStacks is On.\n");
  EXPECT_THAT(page().body, Not(HasSubstr("?stacks=")));
}

TEST(Stacks, OfAGroupAreShownOnDemand) {
  Httpd httpd(std::string(kConfig) + kFigures + "WSGIStatusStacks On\n",
              {.files = {{"site.wsgi", version(1)}}, .place = Place::embedded});
  EXPECT_EQ(httpd.get("/site").body, "1");
  const Response page = httpd.request({.path = "/figures", .headers = {{"Accept", "text/html"}}});
  EXPECT_THAT(page.body, HasSubstr("<a href=\"?stacks=g\">stacks</a>"));
  const Response stacks = httpd.get("/figures?stacks=g");
  EXPECT_EQ(stacks.status, 200);
  EXPECT_THAT(stacks.header("content-type").value_or(""), HasSubstr("text/plain"));
  EXPECT_THAT(stacks.body, AllOf(HasSubstr("worker 0 of process group g, pid "),
                                 HasSubstr("\n  in the main interpreter\n")));
  const Response unknown = httpd.get("/figures?stacks=h%0A");
  EXPECT_EQ(unknown.status, 503);
  EXPECT_THAT(unknown.body, HasSubstr("there is no process group 'h\\n'"));
}

// Figures come from shared memory, and nobody is asked for them.
TEST_F(Insight, IsToldWhileEveryWorkerHangs) {
  EXPECT_EQ(httpd_.get("/site").body, "1");
  const auto worker = group()["workers"][0]["pid"].get<pid_t>();
  ASSERT_EQ(kill(worker, SIGSTOP), 0);
  EXPECT_EQ(page().status, 200);
  EXPECT_NE(httpd_.get("/health/g").status, 0);
  ASSERT_EQ(kill(worker, SIGCONT), 0);
}

TEST_F(Insight, SaysWhyOldCodeIsServed) {
  EXPECT_EQ(httpd_.get("/site").body, "1");
  for (const char* text : {"PH0109", "PH0406", "PH0411"}) httpd_.expect_log(text);
  deploy(kBroken);
  EXPECT_EQ(httpd_.get("/site").body, "1");
  ASSERT_TRUE(page_has("the version of before is served"));
  EXPECT_THAT(texts(), AllOf(HasSubstr("is degraded"), HasSubstr("site.wsgi"),
                             HasSubstr("ValueError: not <today>")));
  EXPECT_EQ(group()["state"], "degraded");
  EXPECT_THAT(group()["scripts"][0]["reason"].get<std::string>(), HasSubstr("not <today>"));
  // The newest code that is good is served.
  const Response health = httpd_.get("/health?group=g");
  EXPECT_EQ(health.status, 200);
  EXPECT_THAT(health.body, ContainsRegex("^g: serving, of .*site.wsgi the version of before: "
                                         ".*ValueError: not <today>"));
  deploy(version(2));
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/site").body == "2"; }));
  EXPECT_TRUE(page_has("Everything is served."));
}

TEST_F(Insight, SaysThatNothingIsServed) {
  for (const char* text : {"PH0109", "PH0303", "PH0457"}) httpd_.tolerate_log(text);
  deploy(kBroken);
  EXPECT_EQ(httpd_.get("/site").status, 500);
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/health?group=g").status == 503; }));
  const Response health = httpd_.get("/health/g");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(health.header("Retry-After"), "5");
  EXPECT_THAT(health.body, ContainsRegex("^g: nothing is served of .*site.wsgi: .*ValueError"));
  EXPECT_EQ(httpd_.get("/health").status, 503);
  EXPECT_EQ(httpd_.get("/health?group=other").status, 200);
  EXPECT_TRUE(page_has("nothing is served of it"));
  // The other script can be imported.
  EXPECT_EQ(group()["state"], "degraded");
  EXPECT_EQ(group()["scripts"][0]["state"], "broken");
  EXPECT_EQ(Scrape::of(httpd_).value("pyhost_generation_degraded{group=\"g\"}"), 1);
}

TEST_F(Insight, SaysThatAGroupIsStoppedOrUnknown) {
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/health").status == 200; }));
  EXPECT_EQ(httpd_.get("/health").body, "g: serving\nother: serving\n");
  EXPECT_EQ(httpd_.get("/health?group=%25%7BGLOBAL%7D").body, "serving\n");
  EXPECT_EQ(httpd_.get("/health?group=nobody").status, 404);
  EXPECT_TRUE(pyhost({"stop", "g"}).ok());
  const Response health = httpd_.get("/health?group=g");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(health.body, "g: an operator has stopped it\n");
  EXPECT_EQ(httpd_.get("/health?group=other").status, 200);
  EXPECT_THAT(texts(), HasSubstr("is stopped"));
}

// Where there is one; it is not of scripts/install-deps test.
TEST_F(Insight, IsLiveInABrowser) {
  constexpr char kChromium[] = "/usr/bin/chromium";
  if (access(kChromium, X_OK) != 0) GTEST_SKIP() << "there is no " << kChromium;
  EXPECT_EQ(httpd_.get("/site").body, "1");
  EXPECT_TRUE(page_has("Everything is served."));
  const CommandResult shown =
      run_command({kChromium, "--headless", "--no-sandbox", "--disable-gpu",
                   "--user-data-dir=" + httpd_.root() + "/browser", "--virtual-time-budget=9000",
                   "--dump-dom", fmt::format("http://127.0.0.1:{}/figures", httpd_.port())});
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("<p id=\"pulse\" aria-live=\"off\" class=\"live\">live"),
                    HasSubstr("<small data-live=\"requests-unit\">/s</small>"),
                    HasSubstr("<path d=\"M"), Not(HasSubstr("Refused to"))))
      << shown;
}

TEST(SlowRequests, AreLoggedWhenTheyAreOver) {
  Httpd httpd(
      "WSGISlowRequests 0.2\n"
      "WSGIScriptAlias /site ${ROOT}/site.wsgi\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n",
      {.files = {{"site.wsgi", version(1)}}});
  EXPECT_EQ(httpd.get("/site/slow?0.3").body, "1");
  httpd.expect_log("PH0650");
  httpd.wait_for_log("PH0650");
  EXPECT_THAT(
      httpd.log(),
      ContainsRegex("PH0650: the request has taken [0-9.]+ s in .*: [0-9.]+ s of it waiting "
                    "for a worker, .*[0-9.]+ s in the application.*\\[GET /site/slow\\]"));
}

TEST(SlowRequests, AreLoggedWhileTheyRun) {
  Httpd httpd("WSGISlowRequests 1\nWSGIScriptAlias / ${APPS}/perils.wsgi\n");
  for (const char* text : {"PH0650", "PH0651"}) httpd.expect_log(text);
  {
    HeldRequests held(httpd, httpd.make_writable("held"), 1);
    ASSERT_TRUE(held.all_run());
    // Httpd's parent looks every ten seconds.
    httpd.wait_for_log("PH0651");
    EXPECT_THAT(httpd.log(), ContainsRegex("PH0651: GET /wait runs for [0-9.]+ s by now, in "));
  }
  httpd.wait_for_log("PH0650");
}

}  // namespace
}  // namespace pyhost::test

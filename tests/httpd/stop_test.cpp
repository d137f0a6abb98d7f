// The end of httpd while applications are busy, or do not want to end.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "harness/error_log.h"
#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr char kConfig[] =
    "WSGIDaemonProcess busy shutdown-timeout=1\n"
    "WSGIScriptAlias /sleeps ${APPS}/sleeps.wsgi process-group=busy\n";

// What the machine may be slower than it should be.
constexpr auto kMargin = 20s;

steady_clock::duration time_to_stop(Httpd& httpd) {
  const auto begun = steady_clock::now();
  httpd.stop();
  return steady_clock::now() - begun;
}

TEST(Stop, DoesNotWaitForALongRequest) {
  Httpd httpd(kConfig);
  httpd.expect_log("sleeps for");
  httpd.tolerate_log("PH0478");
  std::jthread client([&] { EXPECT_FALSE(httpd.get("/sleeps?100").complete()); });
  httpd.wait_for_log("sleeps for 100.0 s");
  EXPECT_LT(time_to_stop(httpd), 1s + kMargin);
}

TEST(Stop, OfAnIdleGroupIsNotHeldUpByAnyTimeout) {
  Httpd httpd(
      "WSGIDaemonProcess idle processes=4 graceful-timeout=60 shutdown-timeout=60\n"
      "WSGIScriptAlias / ${APPS}/stubborn.wsgi process-group=idle\n");
  EXPECT_EQ(httpd.get("/nothing").status, 200);
  const auto time = time_to_stop(httpd);
  EXPECT_LT(time, kMargin);
  RecordProperty("stop_ms", static_cast<int>(time / 1ms));
}

TEST(Stop, RunsThreadShutdownAndAtexitOfEveryInterpreter) {
  const TempDir folder;
  const std::string words = folder.make_writable("words");
  Httpd httpd(
      "WSGIDaemonProcess workers threads=2\n"
      "WSGIScriptAlias /a ${APPS}/last_words.wsgi application-group=-a\n"
      "WSGIScriptAlias /b ${APPS}/last_words.wsgi application-group=-b\n"
      "WSGIScriptAlias /main ${APPS}/last_words.wsgi application-group=%{GLOBAL}\n"
      "<Location /workers>\n  WSGIProcessGroup workers\n</Location>\n"
      "WSGIScriptAlias /workers/a ${APPS}/last_words.wsgi application-group=-a\n"
      "WSGIScriptAlias /workers/b ${APPS}/last_words.wsgi application-group=-b\n"
      "WSGIScriptAlias /workers/main ${APPS}/last_words.wsgi application-group=%{GLOBAL}\n",
      {.processes = 1, .environment = {{"LAST_WORDS", words + "/of"}}});
  for (const char* path : {"/a", "/b", "/main", "/workers/a", "/workers/b", "/workers/main"}) {
    EXPECT_EQ(httpd.get(path).status, 200) << path;
  }
  httpd.stop();
  for (const char* interpreter : {"-a", "-b", "", "workers-a", "workers-b", "workers"}) {
    EXPECT_EQ(read_file(words + "/of" + interpreter), "thread, atexit") << interpreter;
  }
}

TEST(Stop, EndsAPreforkChildInTheMiddleOfItsPythonCode) {
  if (default_mpm() != Mpm::prefork) GTEST_SKIP() << "a threaded MPM waits for requests";
  Httpd httpd("WSGIScriptAlias /stubborn ${APPS}/stubborn.wsgi", {.processes = 1});
  std::jthread client([&] { EXPECT_FALSE(httpd.get("/stubborn/lock").complete()); });
  httpd.expect_log("keeps the lock");
  httpd.wait_for_log("keeps the lock");
  // httpd would complain of a child that does not end.
  httpd.stop();
}

// --- Requests that keep a child of httpd from ending ---

class HeldChild : public testing::Test {
 protected:
  // Another MPM ends a child in the middle of whatever it does.
  void SetUp() override {
    if (default_mpm() != Mpm::event) GTEST_SKIP() << "only a threaded MPM waits for requests";
    httpd_.emplace(
        "WSGIScriptAlias /sleeps ${APPS}/sleeps.wsgi\n"
        "WSGIScriptAlias /stubborn ${APPS}/stubborn.wsgi application-group=apart\n",
        Options{.processes = 1});
  }
  void begin(std::string path, const char* words) {
    clients_.emplace_back([this, path = std::move(path)] { httpd_->get(path); });
    httpd_->expect_log(words);
    httpd_->wait_for_log(words);
  }
  std::vector<std::string> complaints() const {
    std::vector<std::string> lines;
    for (const ErrorLogLine& line : parse_error_log(httpd_->log())) {
      if (line.text.find("PH0359") != line.text.npos) lines.push_back(line.text);
    }
    return lines;
  }

  std::optional<Httpd> httpd_;
  std::vector<std::jthread> clients_;
};

TEST_F(HeldChild, SaysWhichRequestsItCannotEndFor) {
  begin("/sleeps/long?1000", "sleeps for");
  for (const char* text : {"PH0359", "AH00045", "AH00046"}) httpd_->expect_log(text);
  httpd_->stop();
  EXPECT_THAT(complaints(),
              ElementsAre(AllOf(
                  ContainsRegex("GET /sleeps/long has run for [0-9.]+ s in [^ ]*/sleeps.wsgi"),
                  Not(HasSubstr("lock")))));
}

TEST_F(HeldChild, SaysThatTheLockCannotBeHad) {
  begin("/stubborn/lock", "keeps the lock");
  for (const char* text : {"PH0359", "AH00045", "AH00046"}) httpd_->expect_log(text);
  httpd_->restart(OldChildren::awaited);
  EXPECT_THAT(complaints(), ElementsAre(ContainsRegex(
                                "GET /stubborn/lock has run for [^;]*; the lock of (the main "
                                "interpreter|sub-interpreter 'apart') could not be had for")));
}

TEST_F(HeldChild, MayFinishItsRequestsAfterAGracefulRestart) {
  // Longer than what a request that was given up may take.
  begin("/sleeps?7", "sleeps for");
  httpd_->graceful(OldChildren::awaited);
  EXPECT_THAT(complaints(), IsEmpty());
}

// --- What does not want to end ---

struct Obstacle {
  std::string_view what;
  std::string_view place;
  const char* words;  // in the one line about it
};

class StubbornApplication : public testing::TestWithParam<Obstacle> {
 protected:
  static std::string config() {
    return std::string("WSGIDaemonProcess g threads=2 shutdown-timeout=1\n") +
           "WSGIScriptAlias / ${APPS}/stubborn.wsgi application-group=apart" +
           (GetParam().place == "daemon" ? " process-group=g" : "") + "\n";
  }
  // Lets the application put its obstacle up.
  void prepare() {
    const std::string path = "/" + std::string(GetParam().what);
    if (path != "/lock") {
      EXPECT_EQ(httpd_.get(path).status, 200);
      return;
    }
    client_ = std::jthread([this, path] { EXPECT_FALSE(httpd_.get(path).complete()); });
    httpd_.wait_for_log("keeps the lock");
    httpd_.expect_log("keeps the lock");
  }
  std::vector<std::string> complaints() const {
    std::vector<std::string> lines;
    for (const ErrorLogLine& line : parse_error_log(httpd_.log())) {
      const bool complains =
          line.text.find("PH0306") != line.text.npos || line.text.find("PH0478") != line.text.npos;
      if (complains) lines.push_back(line.text);
    }
    return lines;
  }

  Httpd httpd_{config(), {.processes = 1}};
  std::jthread client_;
};

TEST_P(StubbornApplication, IsGoneWithOneLineThatSaysWhatWasInTheWay) {
  // What a child of httpd has for its end.
  constexpr auto kBudget = 5s;
  prepare();
  httpd_.expect_log(GetParam().what == "lock" ? "PH0478" : "PH0306");
  // httpd does not wait as long before it tells a child again.
  if (GetParam().place == "embedded") httpd_.tolerate_log("AH00045");
  EXPECT_LT(time_to_stop(httpd_), kBudget + kMargin);
  EXPECT_THAT(complaints(), ElementsAre(ContainsRegex(GetParam().words)));
}

INSTANTIATE_TEST_SUITE_P(
    Put, StubbornApplication,
    testing::Values(Obstacle{"thread", "daemon", "stubborn"},
                    Obstacle{"atexit", "daemon", "atexit functions of sub-interpreter 'apart'"},
                    Obstacle{
                        "lock", "daemon",
                        "stubborn.wsgi has run for .*; the lock of [^;]* could not be had for"},
                    Obstacle{"thread", "embedded", "stubborn"},
                    Obstacle{"atexit", "embedded", "atexit functions of sub-interpreter 'apart'"}),
    [](const auto& info) { return fmt::format("{}_{}", info.param.what, info.param.place); });

}  // namespace
}  // namespace pyhost::test

// What applications are told when their process is to end.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

class ShutdownCallback : public testing::Test {
 protected:
  // One httpd child, and one worker in group g with these options; the application serves /.
  void start(std::string_view options, std::string_view place = "process-group=g") {
    static constexpr char kConfig[] =
        "WSGIDaemonProcess g processes=1 threads=2 shutdown-timeout=60 {0}\n"
        "WSGIScriptAlias /apart ${{APPS}}/subscriber.wsgi application-group=-apart {1}\n"
        "WSGIScriptAlias / ${{APPS}}/subscriber.wsgi application-group=%{{GLOBAL}} {1}\n";
    httpd_.emplace(fmt::format(kConfig, options, place),
                   Options{.processes = 1, .environment = {{"LAST_WORDS", words_ + "/of-"}}});
    EXPECT_EQ(get("/").status, 200);
  }
  Response get(const char* path) const { return httpd_->get(path); }
  std::string told(std::string_view interpreter) const {
    return read_file(words_ + "/of-" + std::string(interpreter));
  }
  void expect_told(std::string_view words) const {
    EXPECT_TRUE(wait_until([&] { return told("g") == words; })) << told("g");
  }

  const TempDir folder_;
  const std::string words_ = folder_.make_writable("words");
  std::optional<Httpd> httpd_;
};

TEST_F(ShutdownCallback, OfAWorkerIsCalledInEveryInterpreterWhenHttpdStops) {
  start("");
  EXPECT_EQ(get("/apart").status, 200);
  httpd_->stop();
  EXPECT_EQ(told("g"), "process_stopping shutdown_signal;");
  EXPECT_EQ(told("g-apart"), "process_stopping shutdown_signal;");
}

TEST_F(ShutdownCallback, OfAChildIsCalledInEveryInterpreterWithoutAReason) {
  start("", "");
  EXPECT_EQ(get("/apart").status, 200);
  // A child that still is in Python when its reply has arrived would be ended in the midst of it by
  // prefork; behind another one, which no application has a part in, it is not.
  EXPECT_EQ(httpd_->request({.method = "OPTIONS", .path = "*"}).status, 200);
  httpd_->stop();
  EXPECT_EQ(told(""), "process_stopping ;");
  EXPECT_EQ(told("-apart"), "process_stopping ;");
}

TEST_F(ShutdownCallback, IsToldOfAGracefulRestart) {
  start("");
  httpd_->graceful();
  expect_told("process_stopping graceful_signal;");
}

TEST_F(ShutdownCallback, IsCalledBeforeRequestsAreWaitedFor) {
  start("graceful-timeout=60");
  httpd_->expect_log("waits for the end");
  std::jthread client([&] { EXPECT_EQ(get("/until-the-end").status, 200); });
  httpd_->wait_for_log("waits for the end");
  httpd_->graceful();
  client.join();
}

TEST_F(ShutdownCallback, IsToldThatTheScriptHasChanged) {
  start("");
  fs::last_write_time(httpd_->app("subscriber.wsgi"), fs::file_time_type::clock::now());
  EXPECT_EQ(get("/").status, 200);
  expect_told("process_stopping script_reload;");
}

TEST_F(ShutdownCallback, IsToldThatTheWorkerHasServedItsRequests) {
  start("maximum-requests=1");
  expect_told("process_stopping maximum_requests;");
}

TEST_F(ShutdownCallback, IsToldOfAnEviction) {
  start("");
  const auto workers = httpd_->running("pyhost-worker");
  ASSERT_EQ(workers.size(), 1u);
  ::kill(workers.front(), SIGUSR1);
  expect_told("process_stopping eviction_signal;");
}

TEST_F(ShutdownCallback, IsToldThatNobodyHasComeForAWhile) {
  start("inactivity-timeout=1");
  expect_told("process_stopping inactivity_timeout;");
}

}  // namespace
}  // namespace pyhost::test

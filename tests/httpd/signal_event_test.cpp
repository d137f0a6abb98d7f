// Signals that a worker leaves to its applications.

#include <gmock/gmock.h>
#include <signal.h>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

TEST(SignalEvent, IsToldInEveryInterpreterAndEndsNothing) {
  const TempDir folder;
  const std::string told = folder.make_writable("told");
  Httpd httpd(
      "WSGIDaemonProcess g processes=1 threads=2\n"
      "WSGIScriptAlias /apart ${APPS}/insight.wsgi process-group=g application-group=apart\n"
      "WSGIScriptAlias / ${APPS}/insight.wsgi process-group=g application-group=%{GLOBAL}\n",
      {.processes = 1, .environment = {{"TOLD", told}}});
  ASSERT_EQ(httpd.get("/").status, 200);
  ASSERT_EQ(httpd.get("/apart").status, 200);
  const auto workers = httpd.running("pyhost-worker");
  ASSERT_EQ(workers.size(), 1u);
  const auto expect_told = [&](const std::string& words) {
    for (const char* interpreter : {"", "apart"}) {
      const std::string file = told + "/of-" + interpreter;
      EXPECT_TRUE(wait_until([&] { return read_file(file) == words; })) << read_file(file);
    }
  };
  ::kill(workers.front(), SIGUSR2);
  expect_told("process_signal SIGUSR2 12;");
  ::kill(workers.front(), SIGHUP);
  expect_told("process_signal SIGUSR2 12;process_signal SIGHUP 1;");
  EXPECT_EQ(httpd.get("/?len(named(%27process_signal%27))").body, "2");
  EXPECT_EQ(httpd.running("pyhost-worker"), workers);
}

}  // namespace
}  // namespace pyhost::test

// The end of httpd while applications are busy.

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr char kConfig[] =
    "WSGIDaemonProcess busy shutdown-timeout=1\n"
    "WSGIScriptAlias /sleeps ${APPS}/sleeps.wsgi process-group=busy\n";

TEST(Stop, DoesNotWaitForALongRequest) {
  Httpd httpd(kConfig);
  httpd.expect_log("sleeps for");
  httpd.tolerate_log("PH0478");
  std::jthread client([&] { EXPECT_FALSE(httpd.get("/sleeps?100").complete()); });
  httpd.wait_for_log("sleeps for 100.0 s");
  const auto begun = steady_clock::now();
  httpd.stop();
  EXPECT_LT(steady_clock::now() - begun, 8s);
}

}  // namespace
}  // namespace pyhost::test

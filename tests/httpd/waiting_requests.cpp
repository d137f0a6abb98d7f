#include "httpd/waiting_requests.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string_view>

namespace pyhost::test {
namespace {

int times_up(const Httpd& httpd) {
  constexpr std::string_view kUp = "resuming normal operations";
  const std::string log = httpd.log();
  int count = 0;
  for (auto at = log.find(kUp); at != log.npos; at = log.find(kUp, at + 1)) ++count;
  return count;
}

}  // namespace

WaitingRequests::WaitingRequests(Httpd& httpd) {
  constexpr int kRequests = 6;
  httpd.expect_log("sleeps for");
  for (int i = 0; i < kRequests; ++i) {
    clients_.emplace_back([&httpd] {
      const Response reply = httpd.get("/?0.5");
      EXPECT_EQ(reply.status, 200) << reply;
    });
  }
  httpd.wait_for_log("sleeps for 0.5 s");
}

void restart_with_other_descriptors(const Httpd& httpd) {
  const int before = times_up(httpd);
  ::kill(httpd.pid(), SIGUSR1);
  EXPECT_TRUE(wait_until([&] { return times_up(httpd) > before; })) << httpd.log();
}

}  // namespace pyhost::test

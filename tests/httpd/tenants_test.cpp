// Process groups of users who mean each other, and httpd, no good.

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "httpd/waiting_requests.h"

namespace pyhost::test {
namespace {

constexpr char kGroups[] =
    "WSGIDaemonProcess evil user=games processes=2 connect-timeout=2 queue-timeout=2\n"
    "WSGIDaemonProcess good user=news\n"
    "WSGIScriptAlias /evil ${APPS}/hostile_board.wsgi process-group=evil\n"
    "WSGIScriptAlias /good ${APPS}/sleeps.wsgi process-group=good\n"
    "WSGIScriptAlias /embedded ${APPS}/echo.wsgi\n";

class Tenant : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can act as several users";
  }
};

// Its own requests may suffer, and nobody else's.
TEST_F(Tenant, HarmsNobodyElseByTheScoreboard) {
  Httpd httpd(kGroups, {.place = Place::embedded});
  httpd.expect_log("sleeps for");
  for (const char* id : {"PH0451", "PH0454", "PH0456", "PH0457", "PH0459", "PH0460"}) {
    httpd.tolerate_log(id);
  }
  EXPECT_EQ(httpd.get("/good").status, 200);
  const std::vector<pid_t> children = httpd.children();
  for (const char* byte : {"ff", "00", "01", "7f"}) {
    const Response answer = httpd.get(std::string("/evil?") + byte);
    if (answer.status == 200) {
      EXPECT_EQ(answer.body, "done");
    }
    EXPECT_EQ(httpd.get("/good").status, 200);
    EXPECT_EQ(httpd.get("/embedded").status, 200);
  }
  EXPECT_EQ(httpd.children(), children);
  httpd.graceful();
  EXPECT_EQ(httpd.get("/good").status, 200);
  EXPECT_TRUE(wait_until([&] { return httpd.get("/evil?00").status == 200; }));
}

// A process that its application has left behind still has the socket that it was started with.
TEST_F(Tenant, OfBeforeGetsNoRequestOfAGroupThatHasAnotherUser) {
  const auto group = [](const char* user) {
    return std::string("WSGIDaemonProcess site threads=5 user=") + user +
           "\nWSGIScriptAlias / ${APPS}/listener.wsgi process-group=site "
           "application-group=%{GLOBAL}\n";
  };
  Httpd httpd("# ${APPS}\nInclude ${ROOT}/groups.conf\n",
              {.files = {{"groups.conf", group("games")}}});
  const Response forked = httpd.get("/?fork");
  ASSERT_EQ(forked.status, 200);
  const pid_t left = std::stoi(forked.body);
  const std::string games = forked.header("x-uid").value_or("");
  httpd.write_file("groups.conf", group("news"));
  restart_with_other_descriptors(httpd);
  for (int i = 0; i < 30; ++i) {
    const Response reply = httpd.get("/");
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.body, games);
  }
  // With the last child that knew the group as it was, its sockets have gone.
  EXPECT_TRUE(wait_until([left] { return kill(left, 0) != 0; }));
}

}  // namespace
}  // namespace pyhost::test

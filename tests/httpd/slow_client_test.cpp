// Clients of a worker process that are slow to take their reply, or leave before they have it.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// More than the system keeps for a connection over the loopback interface.
constexpr std::size_t kBlockBytes = 50'000;
constexpr int kManyBlocks = 600;

std::string config(const std::string& options) {
  return "WSGIDaemonProcess patient threads=1 " + options +
         "\n"
         "WSGIScriptAlias / ${APPS}/patience.wsgi process-group=patient\n"
         "SetEnv MARKS ${ROOT}/marks\n";
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

TEST(SlowClient, KeepsNoWorkerFromTheNextRequest) {
  const Httpd httpd(config("response-buffer-size=64M"));
  RawConnection slow = httpd.connect();
  slow.send(get("/large?" + std::to_string(kManyBlocks)));
  const Response next = httpd.get("/");
  EXPECT_EQ(next.status, 200) << next;
  const std::string reply = slow.read_all();
  EXPECT_GT(reply.size(), kManyBlocks * kBlockBytes);
  EXPECT_THAT(reply.substr(reply.size() - 5), "0\r\n\r\n");
}

TEST(SlowClient, IsCutOffAfterResponseSocketTimeout) {
  Httpd httpd(config("response-socket-timeout=1"));
  RawConnection slow = httpd.connect();
  slow.send(get("/large?" + std::to_string(kManyBlocks)));
  httpd.wait_for_log("PH0461");
  httpd.expect_log("PH0461");
  EXPECT_LT(slow.read_all().size(), kManyBlocks * kBlockBytes);
}

TEST(SlowClient, IsSentNoHeaderLineOverTheLimit) {
  Httpd httpd(config("header-buffer-size=8192"));
  httpd.expect_log("PH0476");
  EXPECT_EQ(httpd.get("/header").status, 500);
  EXPECT_EQ(httpd.get("/").status, 200);
}

class LeavingClient : public ::testing::Test {
 protected:
  bool application_was_closed() const {
    return wait_until([this] { return std::filesystem::exists(marks_ + "/closed"); });
  }

  Httpd httpd_{"LogLevel wsgi:info\n" + config("")};
  const std::string marks_ = httpd_.make_writable("marks");
};

TEST_F(LeavingClient, ClosesTheApplicationsIterable) {
  {
    RawConnection client = httpd_.connect();
    client.send(get("/ticks"));
    client.read_until("tick");
  }
  EXPECT_TRUE(application_was_closed());
  httpd_.wait_for_log("PH0460");
  EXPECT_EQ(httpd_.get("/").status, 200);
}

TEST_F(LeavingClient, ThatResetsItsConnectionClosesTheIterable) {
  RawConnection client = httpd_.connect();
  client.send(get("/ticks"));
  client.read_until("tick");
  client.abort();
  EXPECT_TRUE(application_was_closed());
  EXPECT_EQ(httpd_.get("/").status, 200);
}

TEST_F(LeavingClient, GetsNothingMoreWhenItOnlyStopsSending) {
  RawConnection client = httpd_.connect();
  client.send(get("/ticks"));
  client.read_until("tick");
  client.finish_sending();
  EXPECT_TRUE(application_was_closed());
  EXPECT_THAT(client.read_all(), Not(EndsWith("0\r\n\r\n")));
}

}  // namespace
}  // namespace pyhost::test

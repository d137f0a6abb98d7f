// WebSockets of ASGI applications, as clients and operators meet them.

#include <gmock/gmock.h>
#include <signal.h>

#include <regex>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/web_socket_client.h"
#include "httpd/scrape.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] =
    "LogLevel wsgi:info\n"
    "WSGIDaemonProcess g interface=asgi threads=2 connections=100 lifespan=off websocket-drain=2\n"
    "WSGIProcessGroup g\n"
    "WSGIApplicationGroup %{GLOBAL}\n"
    "WSGIScriptAlias /ws ${APPS}/sockets.asgi\n";

// For sockets that no thread is busy with.
std::string with_factor(unsigned factor) {
  std::string config = kConfig;
  if (default_mpm() == Mpm::event) {
    config += "AsyncRequestWorkerFactor " + std::to_string(factor) + "\n";
  }
  return config;
}

TEST(WebSocketHttp, EchoesTextAndBytes) {
  const Httpd httpd(kConfig);
  WebSocketClient socket(httpd.port(), "/ws/echo");
  ASSERT_TRUE(socket.is_open()) << socket.head();
  EXPECT_THAT(socket.head(),
              AllOf(HasSubstr("Upgrade: websocket\r\n"), HasSubstr("Connection: Upgrade\r\n"),
                    HasSubstr("x-own: 1\r\n"),
                    HasSubstr("Sec-WebSocket-Accept: " + std::string(socket.kAccept) + "\r\n"),
                    Not(HasSubstr("Content-Length")), Not(HasSubstr("Transfer-Encoding"))));
  socket.send_text("hello");
  EXPECT_EQ(socket.read_text(), "hello");
  const std::string large(300'000, 'x');
  socket.send(2, large);
  std::string all;
  while (all.size() < large.size()) {
    const auto frame = socket.read();
    ASSERT_TRUE(frame);
    all += frame->payload;
  }
  EXPECT_EQ(all, large);
  socket.send_close(1000);
  EXPECT_EQ(socket.read_close(), 1000);
  EXPECT_TRUE(socket.is_closed());
  EXPECT_FALSE(socket.was_reset());
}

TEST(WebSocketHttp, IsCounted) {
  const Httpd httpd(std::string(kConfig) + kFigures);
  const std::string open = "pyhost_websockets_open{group=\"g\"}";
  const std::string closes = "pyhost_websocket_closes_total{group=\"g\",code=\"";
  EXPECT_EQ(Scrape::of(httpd).value(closes + "1000\"}"), 0);
  WebSocketClient orderly(httpd.port(), "/ws/echo");
  orderly.send_text("hello");
  EXPECT_EQ(orderly.read_text(), "hello");
  {
    const WebSocketClient lost(httpd.port(), "/ws/echo");
    EXPECT_TRUE(wait_for_sample(httpd, open, 2));
  }
  EXPECT_TRUE(wait_for_sample(httpd, closes + "1006\"}", 1));
  EXPECT_EQ(Scrape::of(httpd).value(open), 1);
  orderly.send_close(4000);
  EXPECT_EQ(orderly.read_close(), 4000);
  EXPECT_TRUE(wait_for_sample(httpd, closes + "4xxx\"}", 1));
  EXPECT_TRUE(wait_for_sample(httpd, open, 0));
  const Scrape scrape = Scrape::of(httpd);
  for (const char* direction : {"received", "sent"}) {
    EXPECT_EQ(scrape.value("pyhost_websocket_messages_total{group=\"g\",direction=\"" +
                           std::string(direction) + "\"}"),
              1)
        << direction;
  }
}

TEST(WebSocketHttp, HasTheBytesThatComeWithTheHandshake) {
  const Httpd httpd(kConfig);
  RawConnection client = httpd.connect();
  client.send(
      "GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      WebSocketClient::masked_frame(1, "early"));
  EXPECT_THAT(client.read_until("early"), HasSubstr(" 101 "));
}

TEST(WebSocketHttp, ClosesAsTheApplicationDoes) {
  const Httpd httpd(kConfig);
  WebSocketClient socket(httpd.port(), "/ws/close");
  EXPECT_EQ(socket.read_close(), 4321);
  EXPECT_TRUE(socket.is_closed());
  EXPECT_FALSE(socket.was_reset());
}

TEST(WebSocketHttp, TellsTheApplicationOfTheClientsCode) {
  const Httpd httpd(kConfig);
  WebSocketClient closes(httpd.port(), "/ws/echo");
  closes.send_close(4000);
  EXPECT_EQ(closes.read_close(), 4000);
  httpd.wait_for_log("left with 4000");
  WebSocketClient leaves(httpd.port(), "/ws/echo");
  leaves.abort();
  httpd.wait_for_log("left with 1006");
}

TEST(WebSocketHttp, IsRefusedAsTheApplicationWants) {
  const Httpd httpd(kConfig);
  EXPECT_EQ(WebSocketClient(httpd.port(), "/ws/deny").status(), 403);
  EXPECT_EQ(WebSocketClient(httpd.port(), "/elsewhere").status(), 404);
}

TEST(WebSocketHttp, IsNoneForWsgi) {
  const Httpd httpd(std::string(kConfig) +
                    "WSGIScriptAlias /wsgi ${APPS}/echo.wsgi interface=wsgi\n");
  WebSocketClient socket(httpd.port(), "/wsgi");
  EXPECT_EQ(socket.status(), 200);
}

TEST(WebSocketHttp, IsInTheAccessLogWhenItIsOver) {
  const Httpd httpd(std::string(kConfig) +
                    "LogFormat \"%>s %I %O %{ms}T %U\" sockets\n"
                    "CustomLog ${ROOT}/sockets.log sockets\n");
  const auto logged = [&] { return read_file(httpd.root() + "/sockets.log"); };
  WebSocketClient socket(httpd.port(), "/ws/echo");
  socket.send(2, std::string(10'000, 'x'));
  ASSERT_TRUE(socket.read());
  EXPECT_EQ(logged(), "");
  socket.send_close(1000);
  EXPECT_EQ(socket.read_close(), 1000);
  ASSERT_TRUE(wait_until([&] { return logged().ends_with('\n'); }));
  std::smatch found;
  const std::string line = logged();
  ASSERT_TRUE(std::regex_match(line, found, std::regex("101 (\\d+) (\\d+) \\d+ /ws/echo\n")))
      << line;
  EXPECT_GT(std::stoi(found[1]), 10'000);
  EXPECT_GT(std::stoi(found[2]), 10'000);
}

// Only the event MPM can do without a thread for each.
TEST(WebSocketHttp, LeavesThreadsToRequests) {
  if (default_mpm() != Mpm::event) GTEST_SKIP();
  const Httpd httpd(with_factor(20), {.threads = 5});
  std::vector<WebSocketClient> sockets;
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(sockets.emplace_back(httpd.port(), "/ws/echo").is_open()) << i;
  }
  for (auto& socket : sockets) {
    socket.send_text("still there");
    EXPECT_EQ(socket.read_text(), "still there");
    EXPECT_EQ(httpd.get("/ws/page").body, "a page");
  }
  for (auto& socket : sockets) socket.send_close(1000);
  for (auto& socket : sockets) EXPECT_EQ(socket.read_close(), 1000);
}

TEST(WebSocketHttp, IsRefusedWhenTheChildHoldsAsManyAsItMay) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP();
  Httpd httpd(kConfig, {.threads = 4});
  httpd.expect_log("PH0345");
  const unsigned most = default_mpm() == Mpm::event ? 6 : 2;
  std::vector<WebSocketClient> sockets;
  for (unsigned i = 0; i < most; ++i) {
    ASSERT_TRUE(sockets.emplace_back(httpd.port(), "/ws/echo").is_open()) << i;
  }
  WebSocketClient refused(httpd.port(), "/ws/echo");
  EXPECT_EQ(refused.status(), 503);
  EXPECT_THAT(refused.head(), HasSubstr("Retry-After: "));
  EXPECT_EQ(httpd.get("/ws/page").body, "a page");
  sockets.pop_back();
  EXPECT_TRUE(wait_until([&] { return WebSocketClient(httpd.port(), "/ws/echo").is_open(); }));
}

TEST(WebSocketHttp, EndsWithItsWorkerWhichIsNamed) {
  Httpd httpd(with_factor(20));
  httpd.expect_log("PH0450");
  httpd.tolerate_log("PH0");
  std::vector<WebSocketClient> sockets;
  for (int i = 0; i < 3; ++i) sockets.emplace_back(httpd.port(), "/ws/echo");
  for (const pid_t worker : httpd.running("pyhost-worker")) kill(worker, SIGKILL);
  for (auto& socket : sockets) EXPECT_EQ(socket.read_close(), kNoCloseFrame);
  httpd.wait_for_log("was killed by signal 9 (SIGKILL); that was while its WebSocket was open");
  EXPECT_EQ(count(httpd.log(), "while its WebSocket was open"), 3);
  EXPECT_TRUE(wait_until([&] { return WebSocketClient(httpd.port(), "/ws/echo").is_open(); }));
}

TEST(WebSocketHttp, IsClosedByAGracefulRestart) {
  Httpd httpd(with_factor(20));
  // The worker MPM, which does not expect old children to stay for a while.
  httpd.tolerate_log("AH00288");
  for (int round = 0; round < 3; ++round) {
    std::vector<WebSocketClient> sockets;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(sockets.emplace_back(httpd.port(), "/ws/echo").is_open());
    }
    const std::jthread restart([&] { httpd.graceful(); });
    for (auto& socket : sockets) EXPECT_EQ(socket.read_close(), 1012);
  }
}

TEST(WebSocketHttp, IsCutOffWhenNobodyClosesItInTime) {
  Httpd httpd(with_factor(20));
  httpd.expect_log("PH0346");
  // The worker MPM, as above.
  httpd.tolerate_log("AH00288");
  WebSocketClient socket(httpd.port(), "/ws/echo");
  ASSERT_TRUE(socket.is_open());
  // A worker that does nothing any more.
  const auto workers = httpd.running("pyhost-worker");
  for (const pid_t worker : workers) kill(worker, SIGSTOP);
  httpd.tolerate_log("PH0");
  httpd.graceful(OldChildren::left);
  EXPECT_TRUE(socket.is_closed());
  for (const pid_t worker : workers) kill(worker, SIGCONT);
}

TEST(WebSocketHttp, EndsWithHttpd) {
  Httpd httpd(with_factor(20));
  WebSocketClient socket(httpd.port(), "/ws/echo");
  ASSERT_TRUE(socket.is_open());
  httpd.tolerate_log("PH0");
  httpd.stop();
  EXPECT_TRUE(socket.is_closed());
}

CommandResult speak(const std::string& kind, int port, int sockets = 1) {
  return run_command(
      {TEST_PYTHON, TEST_WEB_SOCKET_CLIENT, kind, std::to_string(port), std::to_string(sockets)});
}

constexpr char kEchoed[] = "echo 1 hello\necho 1 again\nclose 8 1000\nend None\n";

TEST(WebSocketHttp, EchoesOverTls) {
  const Httpd httpd(with_factor(20), {.threads = 4, .tls = true});
  const CommandResult spoken = speak("tls", httpd.endpoint().tls_port, 2);
  EXPECT_TRUE(spoken.ok()) << spoken;
  EXPECT_THAT(spoken.output, AllOf(HasSubstr("status 101 101\n"), HasSubstr(kEchoed))) << spoken;
}

class WebSocketHttp2 : public testing::TestWithParam<const char*> {};

TEST_P(WebSocketHttp2, EchoesAndIsBounded) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP();
  constexpr int kNoPackage = 77;
  Httpd httpd(std::string(kConfig) + "H2WebSockets on\nH2MinWorkers 2\nH2MaxWorkers 4\n",
              {.threads = 4, .http2 = true, .tls = true});
  const bool tls = GetParam() == std::string_view("h2_tls");
  const int port = tls ? httpd.endpoint().tls_port : httpd.port();
  const CommandResult spoken = speak(GetParam(), port, 3);
  if (spoken.exit_code == kNoPackage) GTEST_SKIP();
  httpd.expect_log("PH0345");
  EXPECT_TRUE(spoken.ok()) << spoken;
  EXPECT_THAT(spoken.output, AllOf(HasSubstr("status 200 200 503\n"), HasSubstr(kEchoed)))
      << spoken;
  EXPECT_EQ(speak(GetParam(), port, 1).output, std::string("status 200\n") + kEchoed);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutTls, WebSocketHttp2, testing::Values("h2c", "h2_tls"));

// What a client does not take, the application waits with.
TEST(WebSocketHttp, KeepsLittleForAClientThatTakesNothing) {
  const Httpd httpd(with_factor(20));
  WebSocketClient socket(httpd.port(), "/ws/push?1600");
  ASSERT_TRUE(socket.is_open());
  httpd.wait_for_log("pushed 10");
  EXPECT_THAT(httpd.log(), Not(HasSubstr("pushed 1600")));
  std::uint64_t bytes = 0;
  while (const auto frame = socket.read()) {
    if (frame->opcode == 8) break;
    bytes += frame->payload.size();
  }
  EXPECT_EQ(bytes, 1600u * 65'536);
}

TEST(WebSocketHttp, KeepsLittleForAnApplicationThatTakesNothing) {
  const Httpd httpd(with_factor(20));
  WebSocketClient socket(httpd.port(), "/ws/deaf?1");
  ASSERT_TRUE(socket.is_open());
  const std::string piece(50'000, 'x');
  constexpr int kPieces = 400;
  for (int i = 0; i < kPieces; ++i) socket.send(2, piece);
  std::string last;
  for (int i = 0; i < kPieces; ++i) last = socket.read_text();
  EXPECT_EQ(last, std::to_string(kPieces * piece.size()));
}

}  // namespace
}  // namespace pyhost::test

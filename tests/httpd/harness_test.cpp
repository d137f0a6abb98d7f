// The harness itself, over a httpd without our module.

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options plain() {
  return {.files = {{"htdocs/hello.txt", "hello\n"}}, .wsgi_module = WsgiModule::absent};
}

TEST(Harness, ServesAFile) {
  const Httpd httpd("", plain());
  const Response reply = httpd.get("/hello.txt");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hello\n");
  EXPECT_EQ(reply.header("content-type"), "text/plain");
  EXPECT_EQ(httpd.get("/missing").status, 404);
}

TEST(Harness, KeepsRepeatedHeadersApart) {
  const Httpd httpd("Header add X-Note one\nHeader add X-Note two\n", plain());
  EXPECT_THAT(httpd.get("/hello.txt").all("x-note"), ElementsAre("one", "two"));
}

TEST(Harness, SpeaksEveryProtocol) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP() << "mod_http2 needs a threaded MPM";
  Options options = plain();
  options.http2 = true;
  options.tls = true;
  const Httpd httpd("Header set X-Protocol expr=%{SERVER_PROTOCOL}", options);
  const auto spoken = [&](Protocol protocol) {
    return httpd.request({.path = "/hello.txt", .protocol = protocol}).header("x-protocol");
  };
  EXPECT_EQ(spoken(Protocol::http10), "HTTP/1.0");
  EXPECT_EQ(spoken(Protocol::http11), "HTTP/1.1");
  EXPECT_EQ(spoken(Protocol::http11_tls), "HTTP/1.1");
  EXPECT_EQ(spoken(Protocol::h2c), "HTTP/2.0");
  EXPECT_EQ(spoken(Protocol::h2_tls), "HTTP/2.0");
}

TEST(Harness, SendsExactlyTheHeadersOfTheRequest) {
  const Httpd httpd(
      "Header set X-Saw expr=%{HTTP:Accept}|%{HTTP:User-Agent}|%{HTTP:X-One}|%{HTTP:X-Empty}",
      plain());
  EXPECT_EQ(httpd.request({.path = "/hello.txt", .headers = {{"X-One", "1"}, {"X-Empty", ""}}})
                .header("x-saw"),
            "||1|");
}

TEST(Harness, SendsThePathAsItIs) {
  const Httpd httpd("Header always set X-Uri expr=%{THE_REQUEST}", plain());
  EXPECT_EQ(httpd.get("/a/../%68ello.txt?%zz").header("x-uri"),
            "GET /a/../%68ello.txt?%zz HTTP/1.1");
}

TEST(Harness, TalksRawTcp) {
  const Httpd httpd("", plain());
  RawConnection connection = httpd.connect();
  connection.send("GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("200 OK"));
  EXPECT_THAT(connection.read_all(), HasSubstr("hello\n"));
  EXPECT_FALSE(connection.was_reset());
}

TEST(Harness, FailsTheTestForAnUndeclaredErrorInTheLog) {
  static Httpd* httpd = nullptr;
  Httpd own("<Location /hello.txt>\nRequire all denied\n</Location>", plain());
  httpd = &own;
  EXPECT_EQ(own.get("/hello.txt").status, 403);
  EXPECT_NONFATAL_FAILURE(httpd->stop(), "AH01630");
}

TEST(Harness, LetsADeclaredErrorPass) {
  Httpd httpd("<Location /hello.txt>\nRequire all denied\n</Location>", plain());
  httpd.expect_log("AH01630");
  EXPECT_EQ(httpd.get("/hello.txt").status, 403);
}

TEST(Harness, FailsTheTestWhenAChildCrashes) {
  static Httpd* httpd = nullptr;
  Options options = plain();
  options.processes = 1;
  Httpd own("", options);
  httpd = &own;
  // From then on the child says where it crashes.
  EXPECT_EQ(own.get("/hello.txt").status, 200);
  ASSERT_FALSE(own.children().empty());
  kill(own.children().front(), SIGSEGV);
  own.wait_for_log("crashed with signal 11 in ");
  own.wait_for_log("exit signal");
  EXPECT_NONFATAL_FAILURE(httpd->stop(), "exit signal Segmentation fault");
}

TEST(Harness, SaysWhyHttpdDoesNotStart) {
  EXPECT_NONFATAL_FAILURE(Httpd("NoSuchDirective On", plain()), "NoSuchDirective");
}

TEST(Harness, ChecksAConfiguration) {
  EXPECT_TRUE(check_config("", plain()).ok());
  const ConfigCheck check = check_config("KeepAlive Perhaps", plain());
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.output, HasSubstr("KeepAlive"));
}

TEST(Harness, SeesAStartThatFailsBehindTheCheck) {
  const std::string config = "Listen 203.0.113.1:8000";
  EXPECT_TRUE(check_config(config, plain()).ok());
  EXPECT_EQ(start_in_vain(config, plain()).exit_code, 1);
}

TEST(Harness, ReturnsFromARestartWithNewChildrenOnly) {
  Httpd httpd("Include ${ROOT}/more.conf",
              {.files = {{"more.conf", "Header set X-Generation 1"}, {"htdocs/a.txt", "a"}},
               .wsgi_module = WsgiModule::absent});
  EXPECT_EQ(httpd.get("/a.txt").header("x-generation"), "1");
  httpd.write_file("more.conf", "Header set X-Generation 2");
  httpd.graceful();
  EXPECT_EQ(httpd.get("/a.txt").header("x-generation"), "2");
  httpd.write_file("more.conf", "Header set X-Generation 3");
  httpd.restart();
  EXPECT_EQ(httpd.get("/a.txt").header("x-generation"), "3");
}

TEST(Harness, RunsServersSideBySide) {
  const Httpd first("Header set X-Server first", plain());
  const Httpd second("Header set X-Server second", plain());
  EXPECT_EQ(first.get("/hello.txt").header("x-server"), "first");
  EXPECT_EQ(second.get("/hello.txt").header("x-server"), "second");
}

TEST(Harness, AnswersRequestsFromManyThreads) {
  const Httpd httpd("", plain());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      HttpClient client = httpd.client();
      for (int n = 0; n < 50; ++n) good += client.get("/hello.txt").body == "hello\n";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

TEST(Harness, RemovesItsFolder) {
  std::string root;
  {
    const Httpd httpd("", plain());
    root = httpd.root();
    EXPECT_EQ(access(root.c_str(), F_OK), 0);
  }
  EXPECT_NE(access(root.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace pyhost::test

// Request bodies, and clients at fault.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/body.wsgi\n";
constexpr char kHead[] = "POST /app HTTP/1.1\r\nHost: localhost\r\n";

TEST(Body, ComesWithALengthOrInChunks) {
  const Httpd httpd(kApp);
  const std::string body(100'000, 'x');
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/app", .body = body}).body, body);
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/app", .body = body, .chunked = true}).body,
            body);
}

TEST(Body, InChunksIsRefusedWhereItIsNotWanted) {
  Httpd httpd(std::string(kApp) + "WSGIChunkedRequest Off");
  httpd.expect_log("PH0139");
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/app", .body = "x", .chunked = true}).status,
            411);
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/app", .body = "x"}).body, "x");
}

TEST(Body, OverTheLimitNeverReachesTheApplication) {
  const Httpd httpd(std::string(kApp) + "LimitRequestBody 10");
  const Response reply =
      httpd.request({.method = "POST", .path = "/app", .body = std::string(11, 'x')});
  EXPECT_EQ(reply.status, 413);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("imported script")));
}

TEST(Body, InChunksOverTheLimitGivesOnePage) {
  const Httpd httpd(std::string(kApp) + "LimitRequestBody 10");
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) +
                  "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n9\r\nfar too m\r\n0\r\n\r\n");
  const std::string reply = connection.read_all();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(count(reply, "<title>"), 1u);
  EXPECT_THAT(reply, Not(HasSubstr("OSError")));
}

TEST(Body, WithABrokenChunkGivesOnePage) {
  const Httpd httpd(kApp);
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) +
                  "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nx\r\n0\r\n\r\n");
  const std::string reply = connection.read_all();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(count(reply, "<title>"), 1u);
  EXPECT_THAT(reply, Not(HasSubstr("OSError")));
}

// Ways to be wrong behind the last chunk.
std::vector<std::string> broken_trailers() {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  return {"no colon\r\n\r\n", "X: " + std::string(10'000, 'x') + "\r\n\r\n", many + "\r\n"};
}

TEST(Body, WithBrokenTrailersIsTheClientsFault) {
  for (const char* buffering : {"On", "Off"}) {
    Httpd httpd(std::string(kApp) + "WSGIRequestBuffering " + buffering);
    httpd.tolerate_log("PH0302");
    for (const std::string& trailers : broken_trailers()) {
      RawConnection connection = httpd.connect();
      connection.send(
          "POST /app/strict HTTP/1.1\r\nHost: localhost\r\n"
          "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" +
          trailers);
      const std::string reply = connection.read_all();
      EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 ")) << trailers.substr(0, 20);
      EXPECT_EQ(count(reply, "<title>"), 1u);
    }
  }
}

TEST(Body, MayHaveTrailers) {
  const Httpd httpd(kApp);
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) +
                  "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_THAT(connection.read_all(), testing::EndsWith("hello"));
}

// The application may go on for as long as it likes, and the client may have closed its side.
TEST(Body, WithABrokenChunkIsAnsweredAtOnceWhileItIsPassedOn) {
  Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/held_read.wsgi\nSetEnv HELD ${ROOT}/held\n"
      "WSGIRequestBuffering Off");
  httpd.tolerate_log("PH0302");
  for (const bool closes : {false, true}) {
    const std::string held = httpd.write_file("held", "");
    RawConnection connection = httpd.connect();
    connection.send(std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n");
    if (closes) connection.finish_sending();
    EXPECT_THAT(connection.read_until("</html>"), StartsWith("HTTP/1.1 400 "));
    std::filesystem::remove(held);
    EXPECT_EQ(count(connection.read_all(), "HTTP/1.1 "), 1u);
  }
}

TEST(Body, AtFaultBreaksOffAReplyThatHasBegun) {
  Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/late_read.wsgi\nWSGIRequestBuffering Off\n"
      "LimitRequestBody 5");
  httpd.tolerate_log("PH0302");
  const std::pair<const char*, const char*> faults[] = {
      {"zz\r\n", "the client sent a malformed body"},
      {"9\r\ntoo large\r\n0\r\n\r\n", "the body is larger than LimitRequestBody allows"}};
  for (const auto& [chunk, description] : faults) {
    RawConnection connection = httpd.connect();
    connection.send(std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n");
    connection.read_until("begun");
    connection.send(chunk);
    EXPECT_THAT(connection.read_all(), testing::EndsWith("6\r\nbegun \r\n"));
    httpd.wait_for_log(description);
  }
}

TEST(Body, IsAskedForWhenItIsRead) {
  const Httpd httpd(kApp);
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send("hi");
  EXPECT_THAT(connection.read_until("hi"), HasSubstr("HTTP/1.1 200 OK"));
}

TEST(Body, IsNotAskedForOnceTheReplyHasBegun) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/late_read.wsgi");
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(connection.read_until("begun"), StartsWith("HTTP/1.1 200 OK"));
  connection.send("hi");
  EXPECT_THAT(connection.read_all(), Not(HasSubstr("100 Continue")));
}

TEST(Body, ThatComesTooSlowlyGivesTheClient408) {
  Httpd httpd(std::string(kApp) + "RequestReadTimeout body=1");
  httpd.tolerate_log("PH0302");
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) + "Content-Length: 10\r\n\r\nabc");
  EXPECT_THAT(connection.read_all(), HasSubstr("too slowly"));
}

TEST(Body, AtFaultIsTheClientsFaultWhenTheApplicationDoesNotCare) {
  Httpd httpd(std::string(kApp) + "RequestReadTimeout body=1");
  httpd.tolerate_log("PH0302");
  RawConnection slow = httpd.connect();
  slow.send("POST /app/strict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(slow.read_all(), StartsWith("HTTP/1.1 408 "));
  RawConnection broken = httpd.connect();
  broken.send(
      "POST /app/strict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  const std::string reply = broken.read_all();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(count(reply, "<title>"), 1u);
}

TEST(Body, ThatIsNotReadLeavesTheConnectionUsable) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/replies.wsgi");
  RawConnection connection = httpd.connect();
  connection.send(std::string(kHead) + "Content-Length: 5\r\n\r\nhello" +
                  "GET /app?299+Second HTTP/1.1\r\nHost: localhost\r\n" +
                  "Connection: close\r\n\r\n");
  EXPECT_THAT(connection.read_all(), HasSubstr("HTTP/1.1 299 Second\r\n"));
}

}  // namespace
}  // namespace pyhost::test

// What CONTENT_LENGTH says of bodies that come in chunks, or that httpd's filters change.

#include <gmock/gmock.h>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::string_literals;

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/lengths.wsgi\n";

// gzip's, of 5000 times the letter x.
const std::string kDeflated =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xda\x8b\x6f\x0a\x3f\xa0\x00\x00\x00\x00\x80\xb7\x01\x26\xf0\xdb\x00\x88\x13\x00\x00"s;

Request upload(const std::string& body, bool chunked = false) {
  return {.method = "POST", .path = "/app", .body = body, .chunked = chunked};
}

Request deflated(bool chunked = false) {
  Request request = upload(kDeflated, chunked);
  request.headers = {{"Content-Encoding", "gzip"}};
  return request;
}

TEST(BodyLength, IsThatOfABodyAfterItsFilters) {
  const Httpd httpd(std::string(kApp) + "SetInputFilter DEFLATE");
  EXPECT_EQ(httpd.request(deflated()).body, "5000 - - 5000");
  EXPECT_EQ(httpd.request(deflated(true)).body, "5000 - - 5000");
  EXPECT_EQ(httpd.request(upload("plain")).body, "5 - - 5");
  EXPECT_EQ(httpd.get("/app").body, "- - - 0");
  EXPECT_EQ(httpd.request(upload("")).body, "0 - - 0");
}

TEST(BodyLength, IsThatOfALargeBodyAfterItsFilters) {
  const Httpd httpd(std::string(kApp) +
                    "ExtFilterDefine double mode=input cmd=\"/bin/sed s/x/xx/g\"\n"
                    "SetInputFilter double");
  EXPECT_EQ(httpd.request(upload(std::string(300, 'x') + "\n")).body, "601 - - 601");
  const std::string line = std::string(999, 'x') + "\n";
  std::string large;
  for (int i = 0; i < 200; ++i) large += line;
  EXPECT_EQ(httpd.request(upload(large)).body, "399800 - - 399800");
}

TEST(BodyLength, IsNotKnownOfAFilteredBodyThatIsPassedOnAsItComes) {
  const Httpd httpd(std::string(kApp) + "SetInputFilter DEFLATE\nWSGIRequestBuffering Off");
  EXPECT_EQ(httpd.request(deflated()).body, "- - gzip 5000");
}

TEST(BodyLength, IsKnownOfChunksThatAreReceivedFirst) {
  const Httpd httpd(kApp);
  const bool received = default_place() == Place::daemon;
  EXPECT_EQ(httpd.request(upload("hello", true)).body, received ? "5 - - 5" : "- chunked - 5");
  EXPECT_EQ(httpd.request(upload("", true)).body, received ? "0 - - 0" : "- chunked - 0");
  EXPECT_EQ(httpd.request(upload(std::string(200'000, 'x'), true)).body,
            received ? "200000 - - 200000" : "- chunked - 200000");
}

TEST(BodyLength, IsKnownOfChunksThatAreAskedFor) {
  const Httpd httpd(kApp);
  RawConnection connection = httpd.connect();
  connection.send(
      "POST /app HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  connection.send("5\r\nhello\r\n0\r\n\r\n");
  EXPECT_THAT(connection.read_all(),
              HasSubstr(default_place() == Place::daemon ? "\n5 - - 5" : "\n- chunked - 5"));
}

TEST(BodyLength, IsNotKnownOfChunksThatArePassedOnAsTheyCome) {
  const Httpd httpd(std::string(kApp) + "WSGIRequestBuffering Off");
  EXPECT_EQ(httpd.request(upload("hello", true)).body, "- chunked - 5");
}

}  // namespace
}  // namespace pyhost::test

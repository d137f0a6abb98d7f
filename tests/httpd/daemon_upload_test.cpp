// Request bodies on their way to a worker.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::size_t kLargeBytes = 20'000'000;

// How much of the body is there when the application runs.
class Upload : public testing::TestWithParam<const char*> {
 protected:
  std::string config() const {
    return std::string("WSGIDaemonProcess g threads=1\n") + "WSGIRequestBuffering " + GetParam() +
           "\nWSGIScriptAlias / ${APPS}/uploads.wsgi process-group=g\n";
  }
  // The application of an unbuffered upload has seen the client's fault, and that of a buffered one
  // has not run.
  void expect_told(Httpd& httpd, const std::string& fault) const {
    const std::string words = "told the application: ";
    if (!buffered()) httpd.expect_log(words);
    EXPECT_EQ(count(httpd.log(), words), buffered() ? 0u : 1u);
    EXPECT_THAT(httpd.log(), HasSubstr(fault));
  }
  bool buffered() const { return std::string_view(GetParam()) == "On"; }
};

std::string post(const std::string& path, const std::string& headers) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

TEST_P(Upload, OfManyBytesArrivesAsItIs) {
  const Httpd httpd(config());
  const std::string body(kLargeBytes, 'x');
  for (const bool chunked : {false, true}) {
    const Response reply =
        httpd.request({.method = "POST", .path = "/sum", .body = body, .chunked = chunked});
    EXPECT_EQ(reply.body, "d52626322ee0b934ba699935cac991b2") << reply;
  }
}

TEST_P(Upload, ThatIsNotReadDoesNotHoldTheReplyUp) {
  const Httpd httpd(config());
  const std::string body(kLargeBytes, 'x');
  const Response ignored = httpd.request({.method = "POST", .path = "/ignore", .body = body});
  EXPECT_EQ(ignored.body, "not read") << ignored.error_text;
  const Response flood = httpd.request({.method = "POST", .path = "/flood", .body = body});
  EXPECT_TRUE(flood.complete()) << flood.error_text;
  EXPECT_EQ(flood.body.size(), kLargeBytes);
  EXPECT_EQ(httpd.get("/ignore").status, 200);
}

TEST_P(Upload, IsAskedForOnlyWhenTheApplicationReads) {
  const Httpd httpd(config());
  const std::string expect = "Expect: 100-continue\r\nContent-Length: 2\r\n";
  RawConnection reader = httpd.connect();
  reader.send(post("/echo", expect));
  EXPECT_EQ(reader.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  reader.send("hi");
  EXPECT_THAT(reader.read_until("hi"), HasSubstr("HTTP/1.1 200 OK"));

  RawConnection other = httpd.connect();
  other.send(post("/ignore", expect));
  EXPECT_THAT(other.read_until("not read"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_P(Upload, WithABrokenChunkIs400) {
  Httpd httpd(config());
  RawConnection connection = httpd.connect();
  connection.send(post("/sum", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\nzz\r\n");
  const std::string reply = connection.read_all();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(count(reply, "<title>"), 1u);
  expect_told(httpd, "malformed body");
}

TEST_P(Upload, OverTheLimitIs413) {
  Httpd httpd(config() + "LimitRequestBody 10\n");
  const std::string body(11, 'x');
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/sum", .body = body}).status, 413);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("imported script")));
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/sum", .body = body, .chunked = true}).status,
            413);
  expect_told(httpd, "larger than LimitRequestBody");
}

TEST_P(Upload, ThatComesTooSlowlyIs408) {
  Httpd httpd(config() + "RequestReadTimeout body=1\n");
  RawConnection connection = httpd.connect();
  connection.send(post("/sum", "Content-Length: 10\r\n") + "abc");
  EXPECT_THAT(connection.read_all(), StartsWith("HTTP/1.1 408 "));
  expect_told(httpd, "too slowly");
  EXPECT_EQ(httpd.get("/ignore").status, 200);
}

TEST_P(Upload, RunsWhenItIsTime) {
  const Httpd httpd(config());
  RawConnection slow = httpd.connect();
  slow.send(post("/echo", "Content-Length: 6\r\n") + "abc");
  if (buffered()) {
    // The only thread is free until the body is there.
    EXPECT_EQ(httpd.get("/ignore").body, "not read");
  } else {
    EXPECT_THAT(slow.read_until("abc"), StartsWith("HTTP/1.1 200 OK"));
  }
  slow.send("def");
  EXPECT_THAT(slow.read_until("0\r\n\r\n"), HasSubstr("def"));
}

INSTANTIATE_TEST_SUITE_P(Buffering, Upload, testing::Values("On", "Off"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace pyhost::test

// HTTP/2, which needs a threaded MPM.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/digest.h"

namespace pyhost::test {
namespace {

constexpr char kConfig[] =
    "WSGIScriptAlias /echo ${APPS}/echo.wsgi\n"
    "WSGIScriptAlias /streams ${APPS}/streams.wsgi\n"
    "WSGIScriptAlias /scheme ${APPS}/scheme.wsgi\n"
    "WSGIApplicationGroup %{GLOBAL}\n";

// Over HTTP/2 with and without TLS.
class Http2 : public testing::TestWithParam<Protocol> {
 protected:
  Response request(Request request) const {
    request.protocol = GetParam();
    return httpd_.request(request);
  }
  Response get(std::string path) const { return request({.path = std::move(path)}); }

  Httpd httpd_{kConfig, {.http2 = true, .tls = true}};
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutTls, Http2, testing::Values(Protocol::h2c, Protocol::h2_tls),
                         [](const auto& info) {
                           return info.param == Protocol::h2c ? "WithoutTls" : "WithTls";
                         });

TEST_P(Http2, IsWhatTheApplicationIsTold) {
  const std::string scheme = GetParam() == Protocol::h2c ? "http" : "https";
  EXPECT_EQ(get("/scheme").body, scheme + " HTTP/2.0 HTTPS absent");
}

TEST_P(Http2, CarriesABodyBothWays) {
  const std::string body = varied_bytes(1'000'003);
  for (const bool chunked : {false, true}) {
    const Response reply =
        request({.method = "POST", .path = "/echo/post?q", .body = body, .chunked = chunked});
    EXPECT_TRUE(reply.complete()) << reply.error_text;
    EXPECT_TRUE(reply.body == " /post q " + body) << reply.body.substr(0, 100);
  }
}

TEST_P(Http2, StreamsAReply) {
  const Response reply = get("/streams?20000");
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_EQ(reply.body.size(), 108'890u);
  EXPECT_TRUE(reply.body.ends_with("\n19998\n19999\n"));
}

TEST_P(Http2, ResetsTheStreamOfAReplyThatBreaksOff) {
  httpd_.expect_log("PH0174");
  httpd_.expect_log("PH0300");
  for (const char* path : {"/streams/broken?1000", "/streams/short"}) {
    const Response reply = get(path);
    EXPECT_EQ(reply.error, CURLE_HTTP2_STREAM) << path << ": " << reply;
  }
}

Request post_with_id(int id) {
  const std::string text = std::to_string(id);
  return {.method = "POST",
          .path = "/echo/" + text + "?q" + text,
          .headers = {{"X-Id", text}},
          .body = std::string(20'000, static_cast<char>('a' + id)),
          .protocol = Protocol::h2_tls};
}

TEST(Http2Connection, KeepsItsStreamsApart) {
  constexpr int kStreams = 20;
  const Httpd httpd(kConfig, {.http2 = true, .tls = true});
  std::vector<Request> requests;
  for (int i = 0; i < kStreams; ++i) requests.push_back(post_with_id(i));
  const TogetherResult result = request_together(httpd.endpoint(), requests);
  EXPECT_EQ(result.connections, 1);
  for (int i = 0; i < kStreams; ++i) {
    const std::string id = std::to_string(i);
    const Response& reply = result.responses[static_cast<std::size_t>(i)];
    EXPECT_TRUE(reply.complete()) << reply.error_text;
    EXPECT_EQ(reply.header("x-id"), id);
    const std::string& body = *requests[static_cast<std::size_t>(i)].body;
    EXPECT_EQ(reply.body, " /" + id + " q" + id + " " + body);
  }
}

TEST(Http2Connection, OutlivesAStreamThatBreaksOff) {
  Httpd httpd(kConfig, {.http2 = true, .tls = true});
  httpd.expect_log("PH0174");
  std::vector<Request> requests(7, {.path = "/streams?5000", .protocol = Protocol::h2_tls});
  requests[3].path = "/streams/broken?5000";
  const TogetherResult result = request_together(httpd.endpoint(), requests);
  EXPECT_EQ(result.connections, 1);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(result.responses[i].error, i == 3 ? CURLE_HTTP2_STREAM : CURLE_OK)
        << requests[i].path << ": " << result.responses[i].error_text << ", "
        << result.responses[i].body.size() << " bytes";
  }
}

}  // namespace
}  // namespace pyhost::test

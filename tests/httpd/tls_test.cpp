// TLS under HTTP/1.1.

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

TEST(Tls, IsToldByTheSchemeAlone) {
  const Httpd httpd(kConfig, {.tls = true});
  const Response secure = httpd.request({.path = "/scheme", .protocol = Protocol::http11_tls});
  EXPECT_EQ(secure.body, "https HTTP/1.1 HTTPS absent") << secure;
  EXPECT_EQ(httpd.get("/scheme").body, "http HTTP/1.1 HTTPS absent");
}

TEST(Tls, CarriesABodyBothWays) {
  const Httpd httpd(kConfig, {.tls = true});
  const std::string body = varied_bytes(1'000'003);
  const Response reply = httpd.request(
      {.method = "POST", .path = "/echo/post?q", .body = body, .protocol = Protocol::http11_tls});
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_TRUE(reply.body == " /post q " + body) << reply.body.substr(0, 100);
}

TEST(Tls, EndsTheConnectionOfABrokenReplyEarly) {
  Httpd httpd(kConfig, {.tls = true});
  httpd.expect_log("PH0174");
  httpd.expect_log("PH0300");
  for (const char* path : {"/streams/broken?1000", "/streams/short"}) {
    const Response reply = httpd.request({.path = path, .protocol = Protocol::http11_tls});
    EXPECT_FALSE(reply.complete()) << reply;
  }
}

}  // namespace
}  // namespace pyhost::test

// Where a request came from, as trusted proxies say it. The client of these tests is 127.0.0.1.

#include <gmock/gmock.h>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

testing::Matcher<const Response&> says(const std::string& line) {
  return testing::Field("body", &Response::body, HasSubstr("\n" + line + "\n"));
}

testing::Matcher<const Response&> mentions(const std::string& text) {
  return testing::Field("body", &Response::body, HasSubstr(text));
}

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/environ.wsgi\n";
constexpr char kAllHeaders[] =
    "WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Host X-Forwarded-Server \\\n"
    "  X-Forwarded-Port X-Forwarded-Proto X-Script-Name\n";

const Request kForwarded{.path = "/app/x",
                         .headers = {{"X-Forwarded-For", "6.6.6.6, 198.51.100.7, 127.0.0.5"},
                                     {"X-Real-IP", "7.7.7.7"},
                                     {"X-Forwarded-Host", "shop.example"},
                                     {"X-Host", "evil.example"},
                                     {"X-Forwarded-Server", "front.example"},
                                     {"X-Forwarded-Port", "8443"},
                                     {"X-Forwarded-Proto", "https"},
                                     {"X-HTTPS", "off"},
                                     {"X-Script-Name", "/shop"}}};

TEST(TrustedProxy, SaysWhereARequestCameFrom) {
  const Httpd httpd(std::string(kApp) + kAllHeaders + "WSGITrustedProxies 127.0.0.0/8 ::1\n");
  const Response reply = httpd.request(kForwarded);
  EXPECT_THAT(reply, says("REMOTE_ADDR=198.51.100.7"));
  EXPECT_THAT(reply, says("HTTP_X_FORWARDED_FOR=198.51.100.7, 127.0.0.5"));
  EXPECT_THAT(reply, says("HTTP_HOST=shop.example"));
  EXPECT_THAT(reply, says("SERVER_NAME=front.example"));
  EXPECT_THAT(reply, says("SERVER_PORT=8443"));
  EXPECT_THAT(reply, says("wsgi.url_scheme=https"));
  EXPECT_THAT(reply, AllOf(says("SCRIPT_NAME=/shop"), says("mod_wsgi.mount_point=/shop")));
  EXPECT_THAT(reply, AllOf(says("PATH_INFO=/x"), says("mod_wsgi.script_name=/app")));
  EXPECT_THAT(reply, AllOf(Not(mentions("7.7.7.7")), Not(mentions("evil.example")),
                           Not(mentions("HTTP_X_HTTPS"))));
}

TEST(TrustedProxy, IsNobodyElse) {
  const Httpd httpd(std::string(kApp) + kAllHeaders + "WSGITrustedProxies 192.0.2.0/24 fd00::/8\n");
  const Response reply = httpd.request(kForwarded);
  EXPECT_THAT(reply,
              AllOf(says("REMOTE_ADDR=127.0.0.1"), says("wsgi.url_scheme=http"),
                    says("SCRIPT_NAME=/app"), says("SERVER_PORT=" + std::to_string(httpd.port()))));
  EXPECT_THAT(reply, AllOf(Not(mentions("HTTP_X_")), Not(mentions("mod_wsgi.mount_point"))));
}

TEST(TrustedProxy, IsEverybodyWithoutAList) {
  const Httpd httpd(std::string(kApp) + kAllHeaders);
  const Response reply = httpd.request(kForwarded);
  EXPECT_THAT(reply, says("REMOTE_ADDR=6.6.6.6"));
  EXPECT_THAT(reply, says("HTTP_X_FORWARDED_FOR=6.6.6.6, 198.51.100.7, 127.0.0.5"));
  EXPECT_THAT(reply, says("wsgi.url_scheme=https"));
}

TEST(TrustedProxy, WithoutHeadersThatAreAskedForChangesNothing) {
  const Httpd httpd(std::string(kApp) + "WSGITrustedProxies 192.0.2.0/24\n");
  const Response reply = httpd.request(kForwarded);
  EXPECT_THAT(reply, AllOf(says("REMOTE_ADDR=127.0.0.1"), says("HTTP_X_REAL_IP=7.7.7.7"),
                           says("HTTP_X_HTTPS=off"), says("HTTP_X_HOST=evil.example")));
}

// As mod_remoteip has it: the peer is whom httpd takes for the client.
TEST(TrustedProxy, IsTheClientThatHttpdSees) {
  const Httpd httpd(std::string(kApp) + kAllHeaders +
                    "LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so\n"
                    "RemoteIPHeader X-Client\nWSGITrustedProxies 192.0.2.0/24 127.0.0.5\n");
  Request request = kForwarded;
  request.headers.emplace_back("X-Client", "192.0.2.9");
  EXPECT_THAT(httpd.request(request), says("REMOTE_ADDR=198.51.100.7"));
  EXPECT_THAT(httpd.request(kForwarded), says("REMOTE_ADDR=127.0.0.1"));
}

TEST(TrustedProxy, ListsOfAnInnerSectionReplaceThoseOfAnOuterOne) {
  const Httpd httpd(
      std::string(kApp) +
          "WSGITrustedProxies 127.0.0.1\nWSGITrustedProxyHeaders X-Real-IP\n"
          "WSGITrustedProxyHeaders X-Forwarded-Port\n"
          "<Location /app/inner>\nWSGITrustedProxies 192.0.2.1\n</Location>\n"
          "<Location /app/other>\nWSGITrustedProxyHeaders X-Forwarded-Port\n</Location>\n"
          "<Directory ${APPS}>\nAllowOverride FileInfo\n</Directory>\n",
      {.files = {
           {"apps/.htaccess",
            "<If \"%{QUERY_STRING} == 'htaccess'\">\nWSGITrustedProxies 192.0.2.1\n</If>\n"}}});
  Request request = kForwarded;
  EXPECT_THAT(httpd.request(request), AllOf(says("REMOTE_ADDR=7.7.7.7"), says("SERVER_PORT=8443")));
  request.path = "/app/inner";
  EXPECT_THAT(httpd.request(request),
              AllOf(says("REMOTE_ADDR=127.0.0.1"), Not(mentions("HTTP_X_REAL_IP"))));
  request.path = "/app/other";
  EXPECT_THAT(httpd.request(request),
              AllOf(says("REMOTE_ADDR=127.0.0.1"), says("HTTP_X_REAL_IP=7.7.7.7"),
                    says("SERVER_PORT=8443")));
  request.path = "/app/?htaccess";
  EXPECT_THAT(httpd.request(request), says("REMOTE_ADDR=127.0.0.1"));
}

TEST(TrustedProxy, DecidesOverWhatSetEnvMayForge) {
  const Httpd httpd(std::string(kApp) +
                    "WSGITrustedProxies 192.0.2.1\nWSGITrustedProxyHeaders X-Real-IP\n"
                    "SetEnv HTTP_X_CLIENT_IP 9.9.9.9\nSetEnv mod_wsgi.path_info /forged\n");
  const Response reply = httpd.get("/app/x");
  EXPECT_THAT(reply, AllOf(says("mod_wsgi.path_info=/x"), Not(mentions("9.9.9.9"))));
}

}  // namespace
}  // namespace pyhost::test

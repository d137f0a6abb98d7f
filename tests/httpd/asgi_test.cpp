// ASGI applications, as clients and operators meet them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <tuple>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kConfig[] =
    "LogLevel wsgi:info\n"
    "WSGIDaemonProcess g threads=4\n"
    "WSGIProcessGroup g\n"
    "WSGIApplicationGroup %{GLOBAL}\n"
    "WSGIScriptAlias /at ${APPS}/views.asgi\n"
    "WSGIScriptAlias /wsgi ${APPS}/echo.wsgi\n";

TEST(AsgiHttp, HasTheRequestInItsScope) {
  Options options;
  options.http2 = options.mpm != Mpm::prefork;
  const Httpd httpd(kConfig, options);
  const Response reply =
      httpd.request({.path = "/at/scope?x=%20y", .headers = {{"X-Own", "1"}, {"Accept", "a"}}});
  EXPECT_THAT(reply.body, AllOf(HasSubstr("http_version='1.1'"), HasSubstr("method='GET'"),
                                HasSubstr("path='/at/scope'"), HasSubstr("query_string=b'x=%20y'"),
                                HasSubstr("raw_path=b'/at/scope'"), HasSubstr("root_path='/at'"),
                                HasSubstr("scheme='http'"), HasSubstr("(b'x-own', b'1')"),
                                HasSubstr("(b'host', b'127.0.0.1")));
  if (!options.http2) return;
  EXPECT_THAT(httpd.request({.path = "/at/scope", .protocol = Protocol::h2c}).body,
              AllOf(HasSubstr("http_version='2'"), HasSubstr("(b'host', b'127.0.0.1")));
}

TEST(AsgiHttp, HasTheClientOfATrustedProxyInItsScope) {
  const Request request{
      .path = "/at/client",
      .headers = {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https"}}};
  const std::string headers = "WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Proto\n";
  const Httpd trusting(kConfig + headers + "WSGITrustedProxies 127.0.0.1\n");
  EXPECT_EQ(trusting.request(request).body, "('192.0.2.7', 'https')");
  const Httpd wary(kConfig + headers + "WSGITrustedProxies 192.0.2.1\n");
  EXPECT_EQ(wary.request(request).body, "('127.0.0.1', 'http')");
}

TEST(AsgiHttp, ServesBesideWsgiInOneGroup) {
  const Httpd httpd(kConfig);
  HttpClient client = httpd.client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.get("/at/ignore").body, "not read");
    EXPECT_EQ(client.get("/wsgi").status, 200);
  }
  EXPECT_EQ(httpd.running("pyhost-worker").size(), 1u);
}

TEST(AsgiHttp, StartsOnceAndEndsWithItsWorker) {
  Httpd httpd(kConfig);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(httpd.get("/at/state").body, "(True, {'pool': 'shared'})");
  }
  httpd.expect_log("ends");
  httpd.stop();
}

TEST(AsgiHttp, ReceivesUploadsOfAnySize) {
  for (const char* buffering : {"On", "Off"}) {
    const Httpd httpd(std::string(kConfig) + "WSGIRequestBuffering " + buffering + "\n");
    for (const bool chunked : {false, true}) {
      const std::string body(20'000'000, 'x');
      const Response sum =
          httpd.request({.method = "POST", .path = "/at/digest", .body = body, .chunked = chunked});
      EXPECT_EQ(sum.body, "d52626322ee0b934ba699935cac991b2") << buffering << sum;
      EXPECT_EQ(
          httpd.request({.method = "POST", .path = "/at/digest", .body = "", .chunked = chunked})
              .body,
          "d41d8cd98f00b204e9800998ecf8427e");
    }
  }
}

TEST(AsgiHttp, SendsAReplyWhileItReceives) {
  const Httpd httpd(std::string(kConfig) + "WSGIRequestBuffering Off\n");
  const std::string body(3'000'000, 'y');
  const Response reply = httpd.request({.method = "POST", .path = "/at/echo", .body = body});
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_EQ(reply.body, body);
}

TEST(AsgiHttp, AnswersHeadWithoutABody) {
  const Httpd httpd(kConfig);
  RawConnection connection = httpd.connect();
  connection.send("HEAD /at/ignore HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.read_all(),
              AllOf(StartsWith("HTTP/1.1 200 "), testing::EndsWith("\r\n\r\n")));
}

TEST(AsgiHttp, AnswersAnExceptionWith500) {
  Httpd httpd(kConfig);
  httpd.expect_log("PH0174");
  EXPECT_EQ(httpd.get("/at/fail").status, 500);
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("ValueError: on purpose"), HasSubstr("Traceback")));
  EXPECT_EQ(httpd.get("/at/ignore").status, 200);
}

TEST(AsgiHttp, BreaksOffAReplyThatAnExceptionEnds) {
  Httpd httpd(kConfig);
  httpd.expect_log("PH0174");
  const Response reply = httpd.get("/at/half");
  EXPECT_FALSE(reply.complete());
  EXPECT_EQ(reply.body, "half");
}

using Leaving = std::tuple<const char*, const char*>;

class AsgiLeaving : public testing::TestWithParam<Leaving> {};

TEST_P(AsgiLeaving, IsTold) {
  const auto [kind, shape] = GetParam();
  const bool is_http2 = kind[1] == '2';
  if (is_http2 && default_mpm() == Mpm::prefork) GTEST_SKIP() << "there is no HTTP/2";
  const bool tls = std::string_view(kind).ends_with("tls");
  Httpd httpd(std::string("LogLevel wsgi:info\n"
                          "WSGIDaemonProcess g interface=asgi\n"
                          "WSGIScriptAlias /at ${APPS}/views.asgi process-group=g\n") +
                  (is_http2 ? "H2WebSockets on\n" : ""),
              {.threads = 4, .http2 = is_http2, .tls = tls});
  const int port = tls ? httpd.endpoint().tls_port : httpd.port();
  httpd.tolerate_log("PH0");
  constexpr int kNoPackage = 77;
  const CommandResult client = run_command({"/usr/bin/python3", TEST_LEAVING_CLIENT, kind, shape,
                                            std::to_string(port), httpd.root() + "/error.log"});
  if (client.exit_code == kNoPackage) GTEST_SKIP() << "there is no python3-h2";
  EXPECT_TRUE(client.ok()) << client;
  EXPECT_THAT(httpd.log(),
              HasSubstr(fmt::format("{} was told {}.disconnect", shape,
                                    shape == std::string_view("socket") ? "websocket" : "http")));
}

INSTANTIATE_TEST_SUITE_P(OverAll, AsgiLeaving,
                         testing::Combine(testing::Values("h1", "tls", "h2c", "h2_tls"),
                                          testing::Values("poll", "stream", "upload", "socket")),
                         [](const auto& each) {
                           return std::string(std::get<0>(each.param)) + "_" +
                                  std::get<1>(each.param);
                         });

TEST(AsgiHttp, ServesDjango) {
  const Httpd httpd(
      "WSGIDaemonProcess d python-path=${APPS}/django_site\n"
      "WSGIScriptAlias / ${APPS}/django_site/site.asgi process-group=d "
      "application-group=%{GLOBAL}\n");
  httpd.make_writable("apps/django_site/data");
  EXPECT_EQ(httpd.get("/stream/3").body, "block 0\nblock 1\nblock 2\n");
  const Response login = httpd.get("/admin/login/");
  EXPECT_EQ(login.status, 200) << login;
  EXPECT_THAT(login.body, HasSubstr("csrfmiddlewaretoken"));
}

TEST(AsgiHttp, NamesWhatKeepsALoopFromTurning) {
  Options options;
  options.files = {{"slow.asgi", R"(
import time
async def application(scope, receive, send):
    time.sleep(2.2)  # in the loop's thread
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body'})
)"}};
  Httpd httpd(
      "WSGIDaemonProcess g lifespan=off\n"
      "WSGIScriptAlias / ${ROOT}/slow.asgi process-group=g\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n",
      options);
  httpd.expect_log("PH0329");
  EXPECT_EQ(httpd.get("/").status, 200);
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("the event loop of the main interpreter has not turned"),
                                 HasSubstr("slow.asgi\", line 4, in application")));
}

TEST(AsgiHttp, IsRefusedWithoutAProcessGroup) {
  const ConfigCheck check = check_config("WSGIScriptAlias / ${APPS}/views.asgi interface=asgi\n");
  EXPECT_FALSE(check.ok());
  EXPECT_THAT(check.output, AllOf(HasSubstr("ASGI applications run in process groups only"),
                                  HasSubstr("process-group=web")));
  for (const char* config :
       {"WSGIScriptAlias / ${APPS}/views.asgi interface=asgi process-group=g\n",
        "WSGIProcessGroup g\nWSGIScriptAlias / ${APPS}/views.asgi "
        "interface=asgi\n",
        "WSGIScriptAlias / ${APPS}/views.asgi interface=wsgi\n"}) {
    EXPECT_TRUE(check_config(std::string("WSGIDaemonProcess g\n") + config).ok()) << config;
  }
}

TEST(AsgiHttp, ThatCannotStartIsNotServed) {
  Options options;
  options.files = {{"broken.asgi", R"(
async def application(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})
)"}};
  Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${ROOT}/broken.asgi process-group=g\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n",
      options);
  httpd.expect_log("PH0323");
  EXPECT_EQ(httpd.get("/").status, 500);
  httpd.tolerate_log("PH0457");
  EXPECT_THAT(httpd.log(), HasSubstr("no database"));
}

}  // namespace
}  // namespace pyhost::test

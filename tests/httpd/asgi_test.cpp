// ASGI applications, as clients and operators meet them.

#include <gmock/gmock.h>

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

TEST(AsgiHttp, TellsOfAClientThatLeaves) {
  Httpd httpd(kConfig);
  httpd.expect_log("was told http.disconnect");
  for (const char* path : {"/at/patience", "/at/events"}) {
    httpd.expect_log(path == std::string_view("/at/events") ? "streams" : "waits for its client");
    RawConnection client = httpd.connect();
    client.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    httpd.wait_for_log(path == std::string_view("/at/events") ? "streams" : "waits for its client");
    client.abort();
  }
  EXPECT_TRUE(wait_until([&] { return count(httpd.log(), "was told http.disconnect") == 2; }));
}

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

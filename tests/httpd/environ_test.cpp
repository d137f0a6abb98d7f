// What of a request the application sees.

#include <gmock/gmock.h>

#include <cstdlib>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/environ.wsgi\n";

testing::Matcher<const Response&> says(const std::string& line) {
  return testing::Field("body", &Response::body, HasSubstr("\n" + line + "\n"));
}

testing::Matcher<const Response&> mentions(const std::string& text) {
  return testing::Field("body", &Response::body, HasSubstr(text));
}

TEST(Environ, HasTheRequestAsTheClientSentIt) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app/caf%c3%a9%20x?a=%20b");
  EXPECT_THAT(reply, says("REQUEST_URI=/app/caf%c3%a9%20x?a=%20b"));
  EXPECT_THAT(reply, says("PATH_INFO=/caf\xc3\xa9 x"));
  EXPECT_THAT(reply, says("QUERY_STRING=a=%20b"));
  EXPECT_THAT(reply, says("REQUEST_METHOD=GET"));
  EXPECT_THAT(reply, says("SERVER_PROTOCOL=HTTP/1.1"));
  EXPECT_THAT(reply, says("REQUEST_SCHEME=http"));
  EXPECT_THAT(reply, says("wsgi.url_scheme=http"));
}

TEST(Environ, HasServerAndClient) {
  const Httpd httpd(std::string(kApp) + "ServerAdmin root@localhost");
  const Response reply = httpd.get("/app");
  EXPECT_THAT(reply, says("REMOTE_ADDR=127.0.0.1"));
  EXPECT_THAT(reply, mentions("\nREMOTE_PORT="));
  EXPECT_THAT(reply, says("SERVER_ADDR=127.0.0.1"));
  EXPECT_THAT(reply, says("SERVER_ADMIN=root@localhost"));
  EXPECT_THAT(reply, says("SERVER_PORT=" + std::to_string(httpd.port())));
  EXPECT_THAT(reply, says("SCRIPT_FILENAME=" + httpd.app("environ.wsgi")));
  EXPECT_THAT(reply, says("DOCUMENT_ROOT=" + httpd.root() + "/htdocs"));
  EXPECT_THAT(reply, says("mod_wsgi.listener_port=" + std::to_string(httpd.port())));
}

// The number behind "name=" in a reply.
double number(const Response& reply, const std::string& name) {
  return std::strtod(std::string(between(reply.body, "\n" + name + "=", "\n")).c_str(), nullptr);
}

TEST(Environ, SaysWhenTheRequestHasComeHowFar) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app");
  const double queued = number(reply, "mod_wsgi.queue_start");
  const double at_worker = number(reply, "mod_wsgi.daemon_start");
  const double began = number(reply, "mod_wsgi.request_start");
  const double entered = number(reply, "mod_wsgi.application_start");
  EXPECT_GT(began, 1e9);
  EXPECT_GE(entered, began);
  if (default_place() == Place::embedded) {
    EXPECT_EQ(queued, 0);
    EXPECT_EQ(at_worker, 0);
  } else {
    EXPECT_GE(queued, began);
    EXPECT_GE(at_worker, queued);
    EXPECT_GE(entered, at_worker);
  }
}

TEST(Environ, LeavesOutWhatCostsOrMisleads) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app");
  for (const char* key : {"PATH", "HTTPS", "GATEWAY_INTERFACE", "PATH_TRANSLATED", "REMOTE_HOST"}) {
    EXPECT_THAT(reply, Not(mentions("\n" + std::string(key) + "="))) << key;
  }
}

TEST(Environ, TakesOneSlashForARunOfThem) {
  const Httpd httpd(std::string(kApp) + "MergeSlashes Off");
  const Response reply = httpd.get("//app//a///b");
  EXPECT_THAT(reply, says("SCRIPT_NAME=/app"));
  EXPECT_THAT(reply, says("PATH_INFO=/a/b"));
  EXPECT_THAT(reply, says("REQUEST_URI=//app//a///b"));
}

TEST(EnvironHeaders, AreUpperCaseWithUnderscores) {
  const Httpd httpd(kApp);
  const Response reply = httpd.request(
      {.path = "/app",
       .headers = {
           {"X-Custom-Header", "one"}, {"User-Agent", "tester"}, {"Content-Type", "text/x"}}});
  EXPECT_THAT(reply, says("HTTP_X_CUSTOM_HEADER=one"));
  EXPECT_THAT(reply, says("HTTP_USER_AGENT=tester"));
  EXPECT_THAT(reply, says("CONTENT_TYPE=text/x"));
  EXPECT_THAT(reply, Not(mentions("HTTP_CONTENT_TYPE")));
}

TEST(EnvironHeaders, OfSeveralLinesAreJoinedAsTheirOwnDefinitionHasIt) {
  const Httpd httpd(kApp);
  const auto with = [&](Headers headers) {
    return httpd.request({.path = "/app", .headers = std::move(headers)});
  };
  EXPECT_THAT(with({{"Cookie", "a=1"}, {"Cookie", "b=2; c=3"}, {"cookie", "__Host-d=4"}}),
              says("HTTP_COOKIE=a=1; b=2; c=3; __Host-d=4"));
  EXPECT_THAT(with({{"X-List", "a=1"}, {"X-List", "b=2"}}), says("HTTP_X_LIST=a=1, b=2"));
  for (const char* cookie :
       {"day=Mon, 1 Jan", "a=1,b=2", "a={\"x\":1, \"y\":2}", "a=1, ", "a, =b"}) {
    EXPECT_THAT(
        with({{"Cookie", cookie}}),
        says("HTTP_COOKIE=" + std::string(cookie, std::string(cookie).find_last_not_of(' ') + 1)));
  }
}

TEST(EnvironHeaders, CannotBeForgedOrSpoofed) {
  Httpd httpd(std::string(kApp) + "HttpProtocolOptions Unsafe");
  const Response reply = httpd.request(
      {.path = "/app",
       .headers = {{"X_Real_IP", "forged"}, {"X.Dot", "forged"}, {"Proxy", "forged"}}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply, Not(mentions("forged")));
}

TEST(EnvironHeaders, KeepCredentialsBackUnlessTheyArePassed) {
  const Httpd httpd(R"(
    WSGIScriptAlias /plain ${APPS}/environ.wsgi
    WSGIScriptAlias /option ${APPS}/environ.wsgi pass-authorization=On
    WSGIScriptAlias /directive ${APPS}/environ.wsgi
    WSGIScriptAlias /httpd ${APPS}/environ.wsgi
    <Location /directive>
      WSGIPassAuthorization On
    </Location>
    <Location /httpd>
      CGIPassAuth On
    </Location>)");
  const auto ask = [&](const std::string& path) {
    return httpd.request(
        {.path = path,
         .headers = {{"Authorization", "Bearer token"}, {"Proxy-Authorization", "Bearer proxy"}}});
  };
  EXPECT_THAT(ask("/plain"), Not(mentions("Bearer")));
  EXPECT_THAT(ask("/option"), says("HTTP_AUTHORIZATION=Bearer token"));
  EXPECT_THAT(ask("/directive"), says("HTTP_AUTHORIZATION=Bearer token"));
  EXPECT_THAT(ask("/directive"), Not(mentions("Bearer proxy")));
  EXPECT_THAT(ask("/httpd"), AllOf(says("HTTP_AUTHORIZATION=Bearer token"),
                                   says("HTTP_PROXY_AUTHORIZATION=Bearer proxy")));
}

TEST(EnvironHeaders, PassCredentialsThatHttpdHasNotChecked) {
  const Httpd httpd(std::string(kApp) + R"(
    WSGIPassAuthorization Auto
    <Location /app/checked>
      AuthType Basic
      AuthName test
      AuthUserFile ${ROOT}/users
      Require valid-user
    </Location>)",
                    {.files = {{"users", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}}});
  const auto ask = [&](const std::string& path) {
    return httpd.request({.path = path, .headers = {{"Authorization", "Basic YW5uOnBhc3N3b3Jk"}}});
  };
  EXPECT_THAT(ask("/app"), says("HTTP_AUTHORIZATION=Basic YW5uOnBhc3N3b3Jk"));
  EXPECT_THAT(ask("/app/checked"), AllOf(says("REMOTE_USER=ann"), Not(mentions("YW5uOnBh"))));
}

TEST(EnvironHeaders, ThatAreKeptBackAreWorthOneNotice) {
  Httpd httpd(std::string(kApp) + R"(
    <Location /app/checked>
      AuthType Basic
      AuthName test
      AuthUserFile ${ROOT}/users
      Require valid-user
    </Location>)",
              {.processes = 1, .files = {{"users", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}}});
  Request request{.path = "/app/checked", .headers = {{"Authorization", "Basic YW5uOnBhc3N3b3Jk"}}};
  EXPECT_EQ(httpd.request(request).status, 200);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0540")));
  request.path = "/app";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(httpd.request(request).status, 200);
  httpd.wait_for_log(
      "PH0540: /app: the application does not see the Authorization header of its requests; ");
  EXPECT_EQ(count(httpd.log(), "PH0540"), 1u);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("YW5uOnBh")));
}

TEST(Environ, HasHttpdsRequestWhereThatIsAtHand) {
  const Httpd httpd(std::string(kApp) + "<Location /app/c>\nWSGIPassApacheRequest On\n</Location>");
  EXPECT_THAT(httpd.get("/app"), Not(mentions("apache.request_rec")));
  const Response reply = httpd.get("/app/c");
  if (default_place() == Place::embedded) {
    EXPECT_THAT(reply, mentions("\napache.request_rec=<capsule object NULL at 0x"));
  } else {
    EXPECT_THAT(reply, Not(mentions("apache.request_rec")));
  }
}

TEST(EnvironVariables, ComeFromTheConfigurationButNeverReplaceTheRequest) {
  const Httpd httpd(std::string(kApp) +
                    "SetEnv COLOUR blue\nSetEnv SERVER_NAME elsewhere\nSetEnv HTTP_X_SENT set\n"
                    "SetEnv HTTP_X_UNSENT set");
  const Response reply = httpd.request({.path = "/app", .headers = {{"X-Sent", "sent"}}});
  EXPECT_THAT(reply, says("COLOUR=blue"));
  EXPECT_THAT(reply, says("SERVER_NAME=127.0.0.1"));
  EXPECT_THAT(reply, says("HTTP_X_SENT=sent"));
  EXPECT_THAT(reply, says("HTTP_X_UNSENT=set"));
}

TEST(EnvironVariables, SayThatAProxyInFrontSpeaksTls) {
  const Httpd httpd(std::string(kApp) + "SetEnvIf X-Forwarded-Proto https HTTPS=on");
  EXPECT_THAT(httpd.request({.path = "/app", .headers = {{"X-Forwarded-Proto", "https"}}}),
              says("wsgi.url_scheme=https"));
  EXPECT_THAT(httpd.get("/app"), says("wsgi.url_scheme=http"));
}

TEST(Environ, HasTheUserThatHttpdAuthenticated) {
  const Httpd httpd(std::string(kApp) + R"(
    <Location /app>
      AuthType Basic
      AuthName test
      AuthUserFile ${ROOT}/users
      Require valid-user
    </Location>)",
                    {.files = {{"users", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}}});
  const Response reply =
      httpd.request({.path = "/app", .headers = {{"Authorization", "Basic YW5uOnBhc3N3b3Jk"}}});
  EXPECT_THAT(reply, says("REMOTE_USER=ann"));
  EXPECT_THAT(reply, says("AUTH_TYPE=Basic"));
  EXPECT_EQ(httpd.get("/app").status, 401);
}

TEST(Environ, KnowsTls) {
  const Httpd httpd(kApp, {.tls = true});
  const Response reply = httpd.request({.path = "/app", .protocol = Protocol::http11_tls});
  EXPECT_THAT(reply, says("wsgi.url_scheme=https"));
  EXPECT_THAT(reply, says("REQUEST_SCHEME=https"));
  EXPECT_THAT(reply, Not(mentions("\nHTTPS=")));
}

TEST(Environ, KnowsTheRequestBehindAnInternalRedirect) {
  const Httpd httpd(std::string(kApp) + "SetEnv COLOUR blue\nErrorDocument 404 /app/missing");
  const Response reply = httpd.get("/nowhere?a=b");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply, says("REDIRECT_URL=/nowhere"));
  EXPECT_THAT(reply, says("REDIRECT_QUERY_STRING=a=b"));
  EXPECT_THAT(reply, says("REDIRECT_STATUS=404"));
  EXPECT_THAT(reply, says("PATH_INFO=/missing"));
  EXPECT_THAT(reply, says("REQUEST_URI=/nowhere?a=b"));
}

TEST(Environ, SeesARewrittenUrl) {
  const Httpd httpd(std::string(kApp) +
                    "RewriteEngine On\nRewriteRule ^/old/(.*) /app/$1 [PT,QSA,E=COLOUR:red]");
  const Response reply = httpd.get("/old/a?b=c");
  EXPECT_THAT(reply, says("PATH_INFO=/a"));
  EXPECT_THAT(reply, says("REQUEST_URI=/old/a?b=c"));
  EXPECT_THAT(reply, says("COLOUR=red"));
}

TEST(HeadMapping, FollowsItsDirective) {
  // The method is told by a header, because the reply to HEAD has no body.
  const auto method = [](const std::string& config) {
    const Httpd httpd(
        "WSGIScriptAlias /app ${ROOT}/method.wsgi\n<Directory ${ROOT}>\nRequire all granted\n"
        "</Directory>\n" +
            config,
        {.files = {{"method.wsgi",
                    "def application(environ, start_response):\n"
                    "    start_response('200 OK', [('X-Method', environ['REQUEST_METHOD'])])\n"
                    "    return [b'body']\n"}}});
    return httpd.request({.method = "HEAD", .path = "/app"}).header("x-method");
  };
  EXPECT_EQ(method(""), "HEAD");
  EXPECT_EQ(method("SetOutputFilter DEFLATE"), "GET");
  EXPECT_EQ(method("SetOutputFilter DEFLATE\nWSGIMapHEADToGET Off"), "HEAD");
  EXPECT_EQ(method("WSGIMapHEADToGET On"), "GET");
}

TEST(ApplicationGroup, IsNotOfTheClientsChoosing) {
  const Httpd httpd(std::string(kApp) + "WSGIApplicationGroup %{RESOURCE}");
  const std::string expected =
      "mod_wsgi.application_group=localhost:" + std::to_string(httpd.port()) + "|/app";
  for (const char* host : {"localhost", "localhost:1", "other:2", "LOCALHOST"}) {
    EXPECT_THAT(httpd.request({.path = "/app", .headers = {{"Host", host}}}), says(expected))
        << host;
  }
}

TEST(ApplicationGroup, OfTheHostIsANameOfTheVirtualHost) {
  const Httpd httpd(R"(
    <VirtualHost *:*>
      ServerName localhost
      ServerAlias www.example *.shop.example
      WSGIScriptAlias /app ${APPS}/environ.wsgi
      WSGIApplicationGroup %{HOST}
    </VirtualHost>)");
  const std::string port = ":" + std::to_string(httpd.port());
  const auto group = [&](const char* host) {
    return httpd.request({.path = "/app", .headers = {{"Host", host}}});
  };
  EXPECT_THAT(group("WWW.example"), says("mod_wsgi.application_group=www.example" + port));
  EXPECT_THAT(group("a.shop.example:1"), says("mod_wsgi.application_group=a.shop.example" + port));
  EXPECT_THAT(group("other.example"), says("mod_wsgi.application_group=localhost" + port));
}

TEST(ApplicationGroup, OfWhatAPageIncludesIsThatOfItsMount) {
  const Httpd httpd(std::string(kApp) +
                        "WSGIApplicationGroup %{RESOURCE}\n"
                        "<Location /pages>\nOptions +Includes\nSetOutputFilter INCLUDES\n"
                        "</Location>",
                    {.files = {{"htdocs/pages/page.html",
                                "<!--#include virtual=\"/app/one\" -->"
                                "<!--#include virtual=\"/app/two?q\" -->"}}});
  const Response page = httpd.get("/pages/page.html");
  const std::string group =
      "mod_wsgi.application_group=localhost:" + std::to_string(httpd.port()) + "|/app\n";
  EXPECT_EQ(count(page.body, group), 2u) << page.body;
  EXPECT_EQ(count(page.body, "\nSCRIPT_NAME=/app\n"), 2u);
  EXPECT_THAT(page, AllOf(says("PATH_INFO=/one"), says("PATH_INFO=/two")));
}

TEST(ApplicationGroup, IsTakenFromAVariable) {
  Httpd httpd(std::string(kApp) +
              "WSGIApplicationGroup %{ENV:GROUP}\nSetEnvIf X-Group (.+) GROUP=$1");
  EXPECT_THAT(httpd.request({.path = "/app", .headers = {{"X-Group", "blue"}}}),
              says("mod_wsgi.application_group=blue"));
  // Neither the text itself, nor the value when that is another variable.
  EXPECT_EQ(httpd.get("/app").status, 500);
  EXPECT_EQ(httpd.request({.path = "/app", .headers = {{"X-Group", "%{ENV:HOME}"}}}).status, 500);
  httpd.expect_log("PH0541: WSGIApplicationGroup %{ENV:GROUP} for /app: the variable has no value");
}

TEST(CallableName, IsTakenFromAVariable) {
  Httpd httpd(std::string(kApp) + "WSGICallableObject %{ENV:NAME}\nSetEnvIf X-Name (.+) NAME=$1");
  EXPECT_EQ(httpd.request({.path = "/app", .headers = {{"X-Name", "other"}}}).body, "other");
  EXPECT_EQ(httpd.get("/app").status, 500);
  httpd.expect_log("PH0541: WSGICallableObject %{ENV:NAME}");
}

}  // namespace
}  // namespace pyhost::test

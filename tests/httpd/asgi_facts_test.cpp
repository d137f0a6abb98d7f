// What ASGI applications are told of httpd, and what httpd does with them as with others.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/certificate.h"
#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

std::string config(const std::string& options, const std::string& more = "") {
  return "LogLevel wsgi:info\n"
         "WSGIDaemonProcess g interface=asgi lifespan=off " +
         options +
         "\nWSGIScriptAlias /facts ${APPS}/facts.asgi process-group=g "
         "application-group=%{GLOBAL}\n" +
         more;
}

TEST(AsgiEnviron, IsWhatAWsgiApplicationWouldHave) {
  const Httpd httpd(config("asgi-environ=on", "SetEnv FLAVOUR vanilla\n"));
  EXPECT_EQ(httpd.get("/facts/environ/FLAVOUR").body, "vanilla");
  EXPECT_EQ(httpd.get("/facts/environ/REQUEST_METHOD").body, "GET");
  EXPECT_EQ(httpd.get("/facts/environ/mod_wsgi.process_group").body, "g");
}

TEST(AsgiSpec, IsNamedInScopes) {
  EXPECT_EQ(Httpd(config("")).get("/facts/spec").body, "2.3");
  EXPECT_EQ(Httpd(config("asgi-spec=2.5")).get("/facts/spec").body, "2.5");
}

// What send() does behind a client that has left.
std::string told_when_left(const std::string& options) {
  const Httpd httpd(config(options));
  const std::string mark = httpd.make_writable("marks") + "/told";
  {
    RawConnection client = httpd.connect();
    client.send("GET /facts/leave?" + mark + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.read_until("first");
  }
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(mark); }));
  std::string text;
  std::ifstream(mark) >> text;
  return text;
}

TEST(AsgiSpec, SaysWhetherSendRaisesBehindAClientThatHasLeft) {
  EXPECT_EQ(told_when_left(""), "nothing");
  EXPECT_EQ(told_when_left("asgi-spec=2.4"), "ClientDisconnected");
}

TEST(AsgiTls, TellsOfTheConnection) {
  const Httpd httpd(config("asgi-tls=on"), {.tls = true});
  const auto ask = [&](Protocol protocol) {
    return httpd.request({.path = "/facts/tls", .protocol = protocol}).body;
  };
  EXPECT_EQ(ask(Protocol::http11), "[]");
  EXPECT_THAT(
      ask(Protocol::http11_tls),
      AllOf(ContainsRegex("'cipher_suite', 4[0-9]{3}"), HasSubstr("('client_cert_chain', [])"),
            HasSubstr("('client_cert_error', None)"), HasSubstr("('client_cert_name', None)"),
            HasSubstr("('server_cert', '-----BEGIN CERTIFICATE-----"),
            HasSubstr("('tls_version', 772)")));
}

TEST(AsgiTls, IsToldOfOnRequest) {
  const Httpd httpd(config(""), {.tls = true});
  EXPECT_EQ(httpd.request({.path = "/facts/tls", .protocol = Protocol::http11_tls}).body, "[]");
}

TEST(AsgiTls, HasTheClientsCertificate) {
  const Httpd httpd(config("asgi-tls=on", "SSLVerifyClient optional_no_ca\n"), {.tls = true});
  const auto reply = run_command(
      {"/usr/bin/curl", "-sk", "--cert", test_certificate(),
       "https://127.0.0.1:" + std::to_string(httpd.endpoint().tls_port) + "/facts/tls"});
  EXPECT_THAT(reply.output, AllOf(HasSubstr("'client_cert_chain', ['-----BEGIN CERTIFICATE-----"),
                                  HasSubstr("('client_cert_name', 'CN=localhost')")));
}

TEST(AsgiHttp, IsAskedForBehindAnAccessScript) {
  const Httpd httpd(config("",
                           "<Location /facts>\n  WSGIAccessScript ${APPS}/refuses.py\n"
                           "  Require all granted\n</Location>\n"));
  EXPECT_EQ(httpd.get("/facts/any").status, 200);
  EXPECT_EQ(httpd.get("/facts/secret").status, 403);
}

TEST(AsgiHttp, IsServedByAnotherWorkerWhenOneHasTakenTooMuchMemory) {
  Httpd httpd(config("threads=1 memory-limit=600000000"));
  const std::string first = httpd.get("/facts/pid").body;
  EXPECT_EQ(httpd.get("/facts/hog").body, first);
  EXPECT_TRUE(wait_until([&] { return httpd.get("/facts/pid").body != first; }));
}

}  // namespace
}  // namespace pyhost::test

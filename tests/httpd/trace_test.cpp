// The id of a request: in environ, in log lines of every module, and over the border to others.

#include <gmock/gmock.h>

#include <sstream>
#include <string>
#include <vector>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr char kTells[] = R"(
KEYS = ('mod_wsgi.request_id', 'mod_wsgi.trace_id', 'mod_wsgi.span_id', 'mod_wsgi.trace_parent',
        'HTTP_TRACEPARENT', 'HTTP_TRACESTATE')

def application(environ, start_response):
    if environ['PATH_INFO'] == '/a':
        print('said in', environ['PATH_INFO'])
    if environ['PATH_INFO'] == '/fail':
        raise ValueError('no luck')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return ['\n'.join(environ.get(key, '-') for key in KEYS).encode()]
)";

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
constexpr char kId[] = "[0-9a-f]{32}";

class Trace : public ::testing::TestWithParam<Place> {
 protected:
  Httpd start(const std::string& directives) {
    return Httpd(
        "ErrorLogFormat \"[%{u}t] [%-m:%l] [pid %P:tid %T] id=%L [client\\ %a] %M\"\n"
        "CustomLog ${ROOT}/access.log \"%U %L\"\n"
        "CustomLog ${ROOT}/items.log \"%U queue=%{queue_us}^py app=%{app_us}^py lock=%{lock_us}^py "
        "write=%{write_us}^py total=%{total_us}^py group=%{group}^py worker=%{worker}^py "
        "pid=%{pid}^py trace=%{trace_id}^py other=%{other}^py\"\n" +
            directives +
            "<Directory ${ROOT}/tells>\nRequire all granted\n</Directory>\n"
            "WSGIScriptAlias /app ${ROOT}/tells/app.wsgi\n",
        {.files = {{"tells/app.wsgi", kTells}}, .place = GetParam()});
  }
  // The line of the error log that contains the text.
  static std::string line_with(const Httpd& httpd, std::string_view text) {
    httpd.wait_for_log(text);
    const std::string log = httpd.log();
    const auto at = log.find(text);
    const auto begin = log.rfind('\n', at) + 1;
    return log.substr(begin, log.find('\n', at) - begin);
  }
  // What the application has of its identity, a line each.
  static std::vector<std::string> identity(const Response& reply) {
    std::istringstream text(reply.body);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    EXPECT_EQ(lines.size(), 6u) << reply;
    lines.resize(6);
    return lines;
  }
};

INSTANTIATE_TEST_SUITE_P(Places, Trace, testing::Values(Place::embedded, Place::daemon),
                         [](const auto& info) {
                           return info.param == Place::embedded ? "Embedded" : "InAProcessGroup";
                         });

TEST_P(Trace, IsTheRequestsIdInLinesOfAllModules) {
  Httpd httpd = start("<Location /private>\nRequire all denied\n</Location>\n");
  for (const char* text : {"said in", "PH0174", "AH01630"}) httpd.expect_log(text);
  const auto get = [&](const std::string& path) {
    return httpd.request({.path = path, .headers = {{"traceparent", kParent}}});
  };
  const auto lines = identity(get("/app/a"));
  EXPECT_EQ(lines[0], kTrace);
  EXPECT_EQ(lines[1], kTrace);
  EXPECT_EQ(lines[2], "00f067aa0ba902b7");
  EXPECT_EQ(lines[3], "-");
  EXPECT_EQ(lines[4], kParent);
  EXPECT_EQ(get("/app/fail").status, 500);
  EXPECT_EQ(get("/private").status, 403);
  EXPECT_EQ(get("/nothing").status, 404);
  for (const char* text : {"said in /a", "PH0174", "AH01630", "AH00128"}) {
    EXPECT_THAT(line_with(httpd, text), HasSubstr(std::string(" id=") + kTrace + " [client "))
        << httpd.log();
  }
  EXPECT_TRUE(wait_until([&] {
    return read_file(httpd.root() + "/access.log").find(std::string("/app/a ") + kTrace + "\n") !=
           std::string::npos;
  }));
}

TEST_P(Trace, IsMadeWhereTheRequestHasNone) {
  Httpd httpd = start("");
  const auto first = identity(httpd.get("/app/x"));
  EXPECT_THAT(first[0], MatchesRegex(kId));
  EXPECT_EQ(first[1], first[0]);
  EXPECT_EQ(first[2], "-");
  EXPECT_EQ(first[4], "-");
  const auto second = identity(httpd.request(
      {.path = "/app/b", .headers = {{"traceparent", std::string(kParent) + "-more"}}}));
  EXPECT_THAT(second[0], MatchesRegex(kId));
  EXPECT_NE(second[0], first[0]);
  // What was sent is the application's matter.
  EXPECT_EQ(second[4], std::string(kParent) + "-more");
}

TEST_P(Trace, MayBeThatOfATrustedProxysRequestId) {
  Httpd httpd = start("WSGITrustedProxies 127.0.0.1\n");
  EXPECT_EQ(identity(httpd.request({.path = "/app", .headers = {{"X-Request-ID", "order-66"}}}))[0],
            "order-66");
  const auto both = identity(httpd.request(
      {.path = "/app", .headers = {{"X-Request-ID", "order-66"}, {"traceparent", kParent}}}));
  EXPECT_EQ(both[0], kTrace);
  const auto blank =
      identity(httpd.request({.path = "/app", .headers = {{"X-Request-ID", "order 66"}}}));
  EXPECT_THAT(blank[0], MatchesRegex(kId));
  Httpd stranger = start("WSGITrustedProxies 192.0.2.1\n");
  EXPECT_THAT(
      identity(stranger.request({.path = "/app", .headers = {{"X-Request-ID", "order-66"}}}))[0],
      MatchesRegex(kId));
}

TEST_P(Trace, IsPropagatedWithASpanOfHttpds) {
  Httpd httpd = start("WSGITrace propagate\nWSGITrustedProxies 127.0.0.1\n");
  const auto lines = identity(httpd.request(
      {.path = "/app", .headers = {{"traceparent", kParent}, {"tracestate", "a=1,b@c=2"}}}));
  EXPECT_EQ(lines[0], kTrace);
  EXPECT_EQ(lines[1], kTrace);
  EXPECT_THAT(lines[2], MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(lines[2], "00f067aa0ba902b7");
  EXPECT_EQ(lines[3], kParent);
  EXPECT_EQ(lines[4], std::string("00-") + kTrace + "-" + lines[2] + "-00");
  EXPECT_EQ(lines[5], "a=1,b@c=2");
}

TEST_P(Trace, BeginsWhereItCannotBePropagated) {
  Httpd httpd = start("WSGITrace propagate\nWSGITrustedProxies 127.0.0.1\n");
  const auto fresh = identity(httpd.request({.path = "/app", .headers = {{"tracestate", "a=1"}}}));
  EXPECT_THAT(fresh[4], MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
  EXPECT_EQ(fresh[4], "00-" + fresh[0] + "-" + fresh[2] + "-01");
  EXPECT_EQ(fresh[3], "-");
  EXPECT_EQ(fresh[5], "-");
  const auto bad_state = identity(httpd.request(
      {.path = "/app", .headers = {{"traceparent", kParent}, {"tracestate", "a.b=1"}}}));
  EXPECT_EQ(bad_state[0], kTrace);
  EXPECT_EQ(bad_state[5], "-");
  Httpd stranger = start("WSGITrace propagate\n");
  const auto lines = identity(stranger.request(
      {.path = "/app", .headers = {{"traceparent", kParent}, {"tracestate", "a=1"}}}));
  EXPECT_NE(lines[0], kTrace);
  EXPECT_THAT(lines[4], AllOf(StartsWith("00-" + lines[0] + "-"), EndsWith("-01")));
  EXPECT_EQ(lines[5], "-");
}

TEST_P(Trace, StandsInTheAccessLogBesideWhatTheRequestTook) {
  Httpd httpd = start("");
  const Headers headers{{"traceparent", kParent}};
  EXPECT_EQ(httpd.request({.path = "/app/x", .headers = headers}).status, 200);
  EXPECT_EQ(httpd.get("/nothing").status, 404);
  const bool in_group = GetParam() == Place::daemon;
  const std::string place = in_group ? "group=tests worker=0 pid=" +
                                           std::to_string(httpd.running("pyhost-worker").front())
                                     : "group=- worker=- pid=[1-9][0-9]*";
  const std::string served =
      "/app/x queue=[0-9]+ app=[1-9][0-9]* lock=[0-9]+ write=[0-9]+ "
      "total=[1-9][0-9]* " +
      place + " trace=" + kTrace + " other=-\n";
  const std::string others =
      "/nothing queue=- app=- lock=- write=- total=- group=- worker=- pid=- trace=- other=-\n";
  // Whichever process is the first to log.
  std::string log;
  EXPECT_TRUE(wait_until([&] {
    log = read_file(httpd.root() + "/items.log");
    return testing::Value(log, AllOf(ContainsRegex(served), HasSubstr(others)));
  })) << log;
}

TEST_P(Trace, IsThatOfTheRequestThatHttpdHasRedirected) {
  // No line is logged before the application has its id.
  Httpd httpd = start("LogLevel crit\nErrorDocument 404 /app/x\n");
  const auto lines = identity(httpd.get("/nothing"));
  EXPECT_THAT(lines[0], MatchesRegex(kId));
  std::string log;
  EXPECT_TRUE(wait_until([&] {
    log = read_file(httpd.root() + "/access.log");
    return log.ends_with("\n");
  }));
  EXPECT_EQ(log, "/nothing " + lines[0] + "\n");
}

TEST_P(Trace, IsLeftToOthersWhenItIsOff) {
  Httpd httpd = start("WSGITrace off\n");
  const auto lines =
      identity(httpd.request({.path = "/app", .headers = {{"traceparent", kParent}}}));
  EXPECT_THAT(lines[0], Not(MatchesRegex(kId)));
  EXPECT_EQ(lines[1], "-");
  EXPECT_EQ(lines[4], kParent);
}

}  // namespace
}  // namespace pyhost::test

// Records as objects of JSON (WSGILogging json).

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kTalks[] = R"(
import sys
import threading

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/fail':
        raise ValueError('no "luck"\\')
    if path == '/bytes':
        text = ''.join(map(chr, range(1, 0x180))) + '\u2028 \U0001f600'
        sys.stderr.write(text + '\n')
    if path == '/thread':
        def speak():
            print('behind', flush=True)
        thread = threading.Thread(target=speak)
        thread.start()
        thread.join()
    print('said in', path, '"quoted"')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'talks']
)";

class JsonLog : public ::testing::TestWithParam<Place> {
 protected:
  Httpd start(const std::string& directives = {}) {
    return Httpd(directives +
                     "WSGILogging json\n"
                     "<Directory ${ROOT}/talks>\nRequire all granted\n</Directory>\n"
                     "WSGIScriptAlias /app ${ROOT}/talks/app.wsgi\n",
                 {.files = {{"talks/app.wsgi", kTalks}}, .place = GetParam()});
  }
  // The objects in a log; every line that looks like one has to be one.
  static std::vector<Json> objects_of(const std::string& log) {
    std::vector<Json> objects;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('{')) continue;
      objects.push_back(Json::parse(line, nullptr, false));
      EXPECT_TRUE(objects.back().is_object()) << line;
    }
    return objects;
  }
  static Json object_with(const std::string& log, std::string_view text) {
    for (const Json& object : objects_of(log)) {
      if (object.is_object() && object.value("message", "").find(text) != std::string::npos) {
        return object;
      }
    }
    ADD_FAILURE() << "no object with " << text << " in " << log;
    return Json::object();
  }
};

INSTANTIATE_TEST_SUITE_P(Places, JsonLog, testing::Values(Place::embedded, Place::daemon),
                         [](const auto& info) {
                           return info.param == Place::embedded ? "Embedded" : "InAProcessGroup";
                         });

TEST_P(JsonLog, SaysOfARequestWhatIsKnownOfIt) {
  Httpd httpd = start();
  for (const char* text : {"said in", "PH0174"}) httpd.expect_log(text);
  constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
  const Headers headers{{"traceparent", std::string("00-") + kTrace + "-00f067aa0ba902b7-00"}};
  EXPECT_EQ(httpd.request({.path = "/app/a?secret=1", .headers = headers}).status, 200);
  EXPECT_EQ(httpd.request({.path = "/app/fail", .headers = headers}).status, 500);
  httpd.wait_for_log("PH0174");
  const Json said = object_with(httpd.log(), "said in /a");
  EXPECT_EQ(said["message"], "said in /a \"quoted\"");
  EXPECT_EQ(said["request_id"], kTrace);
  EXPECT_EQ(said["trace_id"], kTrace);
  EXPECT_EQ(said["method"], "GET");
  EXPECT_EQ(said["url"], "/app/a");
  EXPECT_EQ(said["client"], "127.0.0.1");
  EXPECT_EQ(said.contains("group"), GetParam() == Place::daemon);
  if (GetParam() == Place::daemon) {
    EXPECT_EQ(said["pid"], httpd.running("pyhost-worker").front());
  }
  const Json failed = object_with(httpd.log(), "ValueError: no \"luck\"\\");
  EXPECT_EQ(failed["id"], "PH0174");
  EXPECT_EQ(failed["level"], "error");
  EXPECT_THAT(failed["traceback"].get<std::string>(),
              testing::AllOf(StartsWith("Traceback (most recent call last):\n"),
                             HasSubstr("\n    raise ValueError(")));
}

TEST_P(JsonLog, IsAnObjectToALineWhateverIsWritten) {
  Httpd httpd = start();
  httpd.expect_log("said in");
  httpd.expect_log("\\u0001\\u0002");
  httpd.expect_log("\\u000b\\u000c");
  EXPECT_EQ(httpd.get("/app/bytes").status, 200);
  httpd.wait_for_log("said in /bytes");
  const std::vector<Json> objects = objects_of(httpd.log());
  EXPECT_GE(objects.size(), 3u);
  EXPECT_THAT(object_with(httpd.log(), "\U0001f600")["message"].get<std::string>(),
              HasSubstr("\u2028"));
}

TEST_P(JsonLog, IsThatOfTheVirtualHost) {
  Httpd httpd = start(
      "<VirtualHost *:*>\nServerName other.test\nErrorLog ${ROOT}/other.log\n"
      "WSGIScriptAlias /other ${ROOT}/talks/app.wsgi\n</VirtualHost>\n");
  const Response reply =
      httpd.request({.path = "/other/vhost", .headers = {{"Host", "other.test"}}});
  EXPECT_EQ(reply.status, 200) << reply;
  EXPECT_TRUE(wait_until([&] {
    return read_file(httpd.root() + "/other.log").find("said in /vhost") != std::string::npos;
  }));
  EXPECT_EQ(object_with(read_file(httpd.root() + "/other.log"), "said in")["url"], "/other/vhost");
  EXPECT_THAT(httpd.log(), testing::Not(HasSubstr("said in")));
}

TEST_P(JsonLog, HasWhatThreadsOfTheirOwnSay) {
  Httpd httpd = start();
  httpd.expect_log("said in");
  httpd.expect_log("behind");
  EXPECT_EQ(httpd.get("/app/thread").status, 200);
  httpd.wait_for_log("behind");
  const Json behind = object_with(httpd.log(), "behind");
  EXPECT_FALSE(behind.contains("url"));
  EXPECT_EQ(behind.contains("group"), GetParam() == Place::daemon);
  EXPECT_GT(behind["thread"].get<int>(), 0);
}

}  // namespace
}  // namespace pyhost::test

// What applications print and log, and which of it is kept.

#include <gmock/gmock.h>

#include <string>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kTalks[] = R"(
import logging
import sys
import threading
import warnings

def application(environ, start_response):
    path = environ['PATH_INFO']
    print('printed in', path)
    sys.stderr.write('an error in %s\n' % path)
    environ['wsgi.errors'].write('wsgi.errors of %s\n' % path)
    if path == '/warn':
        warnings.warn('something is old')
    if path == '/thread':
        thread = threading.Thread(target=print, args=('printed behind', path))
        thread.start()
        thread.join()
    if path == '/log':
        logging.getLogger('shop').info('as information')
        logging.getLogger('shop').warning('as a warning')
        try:
            1 / 0
        except ZeroDivisionError:
            logging.getLogger('shop').exception('has failed')
    if path == '/half':
        sys.stdout.write('half ')
        sys.stderr.write('of another\n')
        sys.stdout.write('a line\n')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'talks']
)";

class Printed : public ::testing::TestWithParam<Place> {
 protected:
  Httpd start(const std::string& directives) {
    return Httpd(directives +
                     "<Directory ${ROOT}/talks>\nRequire all granted\n</Directory>\n"
                     "WSGIScriptAlias /app ${ROOT}/talks/app.wsgi\n",
                 {.files = {{"talks/app.wsgi", kTalks}}, .place = GetParam()});
  }
  static void expect_errors(Httpd& httpd) {
    httpd.expect_log("an error in");
    httpd.expect_log("wsgi.errors of");
  }
};

INSTANTIATE_TEST_SUITE_P(Places, Printed, testing::Values(Place::embedded, Place::daemon),
                         [](const auto& info) {
                           return info.param == Place::embedded ? "Embedded" : "InAProcessGroup";
                         });

TEST_P(Printed, IsInformationAndYetSeenWhereLogLevelHidesThat) {
  Httpd httpd = start("LogLevel warn\n");
  expect_errors(httpd);
  EXPECT_EQ(httpd.get("/app/thread").status, 200);
  httpd.wait_for_log("wsgi.errors of");
  EXPECT_THAT(httpd.log(), AllOf(ContainsRegex("wsgi:info. .*. printed in /thread\n"),
                                 ContainsRegex("wsgi:info. .*. printed behind /thread\n"),
                                 ContainsRegex("wsgi:error. .*. an error in /thread\n"),
                                 ContainsRegex("wsgi:error. .*. wsgi.errors of /thread\n"),
                                 Not(HasSubstr("PH0308"))));
}

TEST_P(Printed, IsHiddenByALogLevelThatNamesTheModule) {
  Httpd httpd = start("LogLevel warn wsgi:warn\n");
  expect_errors(httpd);
  EXPECT_EQ(httpd.get("/app/thread").status, 200);
  httpd.wait_for_log("wsgi.errors of");
  EXPECT_THAT(httpd.log(), Not(HasSubstr("printed")));
}

TEST_P(Printed, HasTheLevelsThatAreConfigured) {
  Httpd httpd = start("WSGILogging Off stdout=warn stderr=notice\n");
  httpd.expect_log("printed in");
  EXPECT_EQ(httpd.get("/app/x").status, 200);
  httpd.wait_for_log("wsgi.errors of");
  EXPECT_THAT(httpd.log(), AllOf(ContainsRegex("wsgi:warn. .*. printed in /x\n"),
                                 ContainsRegex("wsgi:notice. .*. an error in /x\n"),
                                 ContainsRegex("wsgi:notice. .*. wsgi.errors of /x\n")));
}

TEST_P(Printed, IsNoMixtureOfTwoStreams) {
  Httpd httpd = start("");
  expect_errors(httpd);
  httpd.expect_log("] of another");
  EXPECT_EQ(httpd.get("/app/half").status, 200);
  httpd.wait_for_log("wsgi.errors of");
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("] half a line\n"), HasSubstr("] of another\n")));
}

TEST_P(Printed, IncludesWarnings) {
  Httpd httpd = start("");
  expect_errors(httpd);
  httpd.expect_log("UserWarning: something is old");
  httpd.expect_log("warnings.warn(");
  EXPECT_EQ(httpd.get("/app/warn").status, 200);
}

TEST_P(Printed, IsBesideWhatIsLogged) {
  Httpd httpd = start(
      "LogLevel warn wsgi:info\nWSGILogging On\n"
      "ErrorLogFormat \"[%{u}t] [%-m:%l] [pid %P] %F: [client\\ %a] %M\"\n");
  expect_errors(httpd);
  for (const char* text : {"as a warning", "has failed"}) httpd.expect_log(text);
  EXPECT_EQ(httpd.get("/app/log").status, 200);
  httpd.wait_for_log("has failed");
  // What a reader of the file sees: one line, with the lines of the traceback in it.
  EXPECT_THAT(
      httpd.log(),
      AllOf(ContainsRegex("wsgi:warn. .pid [0-9]+. app.wsgi.[0-9]+.: "
                          ".client 127.0.0.1:[0-9]+. as a warning\n"),
            ContainsRegex("wsgi:error. .*. has failed.nTraceback \\(most recent call last\\):.n"
                          ".*ZeroDivisionError: division by zero\n"),
            Not(HasSubstr("as information"))));
}

}  // namespace
}  // namespace pyhost::test

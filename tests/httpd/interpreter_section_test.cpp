// <WSGIInterpreterOptions>: what is different for some interpreters.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

constexpr char kSettings[] = R"python(
import os, sys
def application(environ, start_response):
    start_response('200 OK', [])
    names = [os.path.basename(path) for path in sys.path]
    mine = [name for name in names if name in ('all', 'group', 'one', 'both', 'base')]
    return [f"{mine} {type(sys.stdin).__name__} {sys.getswitchinterval()}".encode()]
)python";

constexpr char kSections[] = R"(
  <WSGIInterpreterOptions process-group=workers "application-group=one">
    WSGIPythonPath ${ROOT}/both
    WSGIRestrictStdin Off
  </WSGIInterpreterOptions>
  <WSGIInterpreterOptions>
    WSGIPythonPath ${ROOT}/all
    WSGIRestrictStdin On
  </WSGIInterpreterOptions>
  <WSGIInterpreterOptions application-group=one>
    WSGIPythonPath ${ROOT}/one
  </WSGIInterpreterOptions>
  <WSGIInterpreterOptions Process-Group=workers>
    WSGIPythonPath ${ROOT}/group
    WSGISwitchInterval 0.25
  </WSGIInterpreterOptions>
  WSGISwitchInterval 0.125
  WSGIDaemonProcess workers python-path=${ROOT}/base
  WSGIScriptAlias /here/one ${APPS}/settings.wsgi process-group=%{GLOBAL} application-group=one
  WSGIScriptAlias /here/main ${APPS}/settings.wsgi process-group=%{GLOBAL} application-group=%{GLOBAL}
  WSGIScriptAlias /there/one ${APPS}/settings.wsgi process-group=workers application-group=one
  WSGIScriptAlias /there/main ${APPS}/settings.wsgi process-group=workers application-group=%{GLOBAL}
)";

TEST(InterpreterSection, CountsMoreTheMoreItNames) {
  const Httpd httpd(kSections, {.files = {{"apps/settings.wsgi", kSettings},
                                          {"all/x", ""},
                                          {"group/x", ""},
                                          {"one/x", ""},
                                          {"both/x", ""},
                                          {"base/x", ""}}});
  EXPECT_EQ(httpd.get("/here/one").body, "['one', 'all'] Restricted 0.125");
  EXPECT_EQ(httpd.get("/here/main").body, "['all'] Restricted 0.125");
  EXPECT_EQ(httpd.get("/there/one").body,
            "['both', 'group', 'one', 'all', 'base'] TextIOWrapper 0.25");
  EXPECT_EQ(httpd.get("/there/main").body, "['group', 'all', 'base'] Restricted 0.25");
}

TEST(IgnoreActivity, LetsAWorkerEndThatOnlyAMonitorAsks) {
  const Httpd httpd(R"(
    WSGIDaemonProcess workers inactivity-timeout=1
    WSGIScriptAlias / ${APPS}/environ.wsgi process-group=workers
    <Location /health>
      WSGIIgnoreActivity On
    </Location>)");
  EXPECT_EQ(httpd.get("/").status, 200);
  const auto first = httpd.running("pyhost-worker");
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(httpd.get("/health").status, 200);
    return httpd.running("pyhost-worker") != first;
  }));
}

}  // namespace
}  // namespace pyhost::test

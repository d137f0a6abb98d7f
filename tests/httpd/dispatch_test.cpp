// A script that says what is to run a request.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/hook_places.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kDispatch[] = R"(
def asked(environ, key):
    words = dict(pair.split('=') for pair in environ['QUERY_STRING'].split('&') if '=' in pair)
    word = words.get(key)
    if word == 'raise':
        raise ValueError('of the script')
    return {'number': 7, 'bytes': b'two', 'euro': '\u20ac', 'empty': ''}.get(word, word)

def process_group(environ):
    return asked(environ, 'pg')

def application_group(environ):
    return asked(environ, 'ag')

def callable_object(environ):
    return asked(environ, 'co')
)";

constexpr char kApplication[] = R"(
def place(environ, start_response):
    start_response('200 OK', [])
    return [f"{environ['mod_wsgi.process_group']}|{environ['mod_wsgi.application_group']}|"
            f"{environ['mod_wsgi.callable_object']}".encode()]

application = other = place
)";

class DispatchScript : public HookTest {
 protected:
  static Options scripts() {
    return {.files = {{"dispatch.py", kDispatch}, {"apps2/app.wsgi", kApplication}}};
  }
  static std::string site(const std::string& more = "") {
    return "WSGIDaemonProcess hooks\nWSGIDaemonProcess two\n"
           "WSGIApplicationGroup %{GLOBAL}\nWSGIProcessGroup two\n" +
           more +
           "<Directory ${ROOT}/apps2>\nRequire all granted\n</Directory>\n"
           "WSGIScriptAlias / ${ROOT}/apps2/app.wsgi\n"
           "WSGIDispatchScript ${ROOT}/dispatch.py" +
           GetParam().options + '\n';
  }
};

INSTANTIATE_TEST_SUITE_P(Hooks, DispatchScript, testing::ValuesIn(kHookPlaces),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(DispatchScript, ChoosesWhatRunsTheRequest) {
  const Httpd httpd(site(), scripts());
  EXPECT_EQ(httpd.get("/").body, "two||application");
  EXPECT_EQ(httpd.get("/?pg=empty").body, "||application");
  EXPECT_EQ(httpd.get("/?ag=blue&co=other").body, "two|blue|other");
  EXPECT_EQ(httpd.get("/?pg=bytes").body, "two||application");
  EXPECT_EQ(httpd.get("/?pg=hooks").body, "hooks||application");
}

TEST_P(DispatchScript, IsHeldToWhatTheConfigurationAllows) {
  Httpd httpd(site("WSGIRestrictProcess two\n"), scripts());
  EXPECT_EQ(httpd.get("/?pg=two").status, 200);
  EXPECT_EQ(httpd.get("/?pg=hooks").status, 500);
  EXPECT_EQ(httpd.get("/?pg=empty").status, 500);
  httpd.expect_log("PH0149");
}

TEST_P(DispatchScript, RefusesTheRequestWhenItFails) {
  Httpd httpd(site(), scripts());
  EXPECT_EQ(httpd.get("/?pg=raise").status, 500);
  EXPECT_EQ(httpd.get("/?ag=number").status, 500);
  EXPECT_EQ(httpd.get("/?co=euro").status, 500);
  EXPECT_EQ(httpd.get("/?pg=gone").status, 500);
  httpd.expect_log("PH0174");
  httpd.expect_log("PH0502");
  httpd.expect_log("PH0151");
}

TEST_P(DispatchScript, RefusesTheRequestWhenItCannotBeLoaded) {
  Options options = scripts();
  options.files[0].second = "def process_group(environ:";
  Httpd httpd(site(), options);
  EXPECT_EQ(httpd.get("/").status, 500);
  httpd.expect_log("dispatch.py");
}

}  // namespace
}  // namespace pyhost::test

// WSGIHandlerScript: scripts that handle what is no script.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

testing::Matcher<const Response&> says(const std::string& line) {
  return testing::Field("body", &Response::body, HasSubstr("\n" + line + "\n"));
}

constexpr char kMarkdown[] =
    "WSGIHandlerScript markdown ${APPS}/handler.py\nAddHandler markdown .md\n";

TEST(HandlerScript, RunsForFilesThatAreNoScripts) {
  const Httpd httpd(kMarkdown, {.files = {{"htdocs/page.md", "# Title\n"}}});
  const Response reply = httpd.get("/page.md/behind?q=1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply, says("SCRIPT_FILENAME=" + httpd.root() + "/htdocs/page.md"));
  EXPECT_THAT(reply, says("mod_wsgi.handler_script=" + httpd.app("handler.py")));
  EXPECT_THAT(reply, says("mod_wsgi.request_handler=markdown"));
  EXPECT_THAT(reply, says("mod_wsgi.callable_object=handle_request"));
  EXPECT_THAT(reply, AllOf(says("SCRIPT_NAME=/page.md"), says("PATH_INFO=/behind")));
}

TEST(HandlerScript, RunsForWhatDoesNotExist) {
  const Httpd httpd(
      "WSGIHandlerScript front ${APPS}/handler.py\n"
      "<Location /virtual>\nSetHandler front\n</Location>\n");
  const Response reply = httpd.get("/virtual/a/b");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply, says("SCRIPT_FILENAME=" + httpd.root() + "/htdocs/virtual"));
  EXPECT_THAT(reply, says("PATH_INFO=/a/b"));
}

TEST(HandlerScript, HasOneInterpreterForAllThatItHandles) {
  const Httpd httpd(std::string("WSGIHandlerScript front ${APPS}/handler.py\n") +
                    "<Location />\nSetHandler front\n</Location>\n");
  const auto group = [&](const char* path) {
    return std::string(between(httpd.get(path).body, "\nmod_wsgi.application_group=", "\n"));
  };
  const std::string first = group("/one");
  EXPECT_EQ(group("/two"), first);
  if (default_place() == Place::embedded) {
    EXPECT_THAT(first, HasSubstr("|" + httpd.app("handler.py")));
  }
}

TEST(HandlerScript, IsAskedAboutTheFileOfTheUrl) {
  const Httpd httpd(kMarkdown, {.processes = 1, .files = {{"htdocs/page.md", "# Title\n"}}});
  Response reply;
  for (int i = 0; i < 3; ++i) reply = httpd.get("/page.md");
  EXPECT_THAT(reply, says("asked=['" + httpd.root() + "/htdocs/page.md']"));
}

TEST(HandlerScript, OfAnInnerSectionTakesThePlaceOfAnOuterOne) {
  const Httpd httpd(std::string(kMarkdown) +
                        "WSGIHandlerScript other ${APPS}/handler.py\nAddHandler other .oth\n"
                        "<Directory ${ROOT}/htdocs/inner>\n"
                        "WSGIHandlerScript markdown ${ROOT}/inner.py\n</Directory>\n",
                    {.files = {{"htdocs/inner/page.md", ""},
                               {"htdocs/inner/page.oth", ""},
                               {"inner.py",
                                "def handle_request(environ, start_response):\n"
                                "    start_response('200 OK', [])\n"
                                "    return [b'inner']\n"}}});
  EXPECT_EQ(httpd.get("/inner/page.md").body, "inner");
  EXPECT_THAT(httpd.get("/inner/page.oth"), says("mod_wsgi.request_handler=other"));
}

TEST(HandlerScript, HasItsOwnOptions) {
  const Httpd httpd(
      "WSGIDaemonProcess tools\n"
      "WSGIHandlerScript front ${APPS}/handler.py process-group=tools application-group=one "
      "pass-authorization=On\n"
      "<Location /virtual>\nSetHandler front\n</Location>\n");
  const Response reply =
      httpd.request({.path = "/virtual", .headers = {{"Authorization", "Bearer x"}}});
  EXPECT_THAT(reply,
              AllOf(says("mod_wsgi.process_group=tools"), says("mod_wsgi.application_group=one"),
                    says("HTTP_AUTHORIZATION=Bearer x")));
}

TEST(HandlerScript, MayBeChosenByATenantButNotDefined) {
  Httpd httpd(
      "WSGIHandlerScript front ${APPS}/handler.py\n"
      "<Directory ${ROOT}/htdocs>\nAllowOverride FileInfo\n</Directory>\n",
      {.files = {{"htdocs/chosen/.htaccess", "SetHandler front\n"},
                 {"htdocs/defined/.htaccess", "WSGIHandlerScript mine /etc/passwd\n"}}});
  EXPECT_THAT(httpd.get("/chosen/x"), says("mod_wsgi.request_handler=front"));
  EXPECT_EQ(httpd.get("/defined/x").status, 500);
  httpd.expect_log("WSGIHandlerScript not allowed here");
}

TEST(HandlerScript, ThatIsNotThereIsAnError) {
  Httpd httpd(
      "WSGIHandlerScript front ${ROOT}/nowhere.py\n"
      "<Location /virtual>\nSetHandler front\n</Location>\n");
  EXPECT_EQ(httpd.get("/virtual").status, 500);
  httpd.expect_log("nowhere.py");
}

TEST(HandlerScript, OfNoOtherNameIsOurs) {
  const Httpd httpd(std::string(kMarkdown) + "<Location /x>\nSetHandler html\n</Location>\n",
                    {.files = {{"htdocs/x/a.txt", "plain"}}});
  EXPECT_EQ(httpd.get("/x/a.txt").body, "plain");
}

}  // namespace
}  // namespace pyhost::test

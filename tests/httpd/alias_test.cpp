// From a URL to an application.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Whether the reply is that of environ.wsgi with this line.
testing::Matcher<const Response&> says(const std::string& line) {
  return testing::Field("body", &Response::body, HasSubstr(line + "\n"));
}

TEST(ScriptAlias, SplitsTheUrlAtItsPath) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/environ.wsgi");
  EXPECT_THAT(httpd.get("/app/a/b?c=d"), says("PATH_INFO=/a/b"));
  EXPECT_THAT(httpd.get("/app/a/b?c=d"), says("SCRIPT_NAME=/app"));
  EXPECT_THAT(httpd.get("/app"), says("PATH_INFO="));
  EXPECT_EQ(httpd.get("/apple").status, 404);
}

TEST(ScriptAlias, OfTheRootTakesEveryUrl) {
  const Httpd httpd("WSGIScriptAlias / ${APPS}/environ.wsgi");
  EXPECT_THAT(httpd.get("/"), says("SCRIPT_NAME="));
  EXPECT_THAT(httpd.get("/"), says("PATH_INFO=/"));
  EXPECT_THAT(httpd.get("/a/b"), says("PATH_INFO=/a/b"));
}

TEST(ScriptAlias, WithASlashAtItsEndStillGivesThePathASlash) {
  const Httpd httpd("WSGIScriptAlias /app/ ${APPS}/environ.wsgi");
  EXPECT_THAT(httpd.get("/app/a"), says("PATH_INFO=/a"));
  EXPECT_THAT(httpd.get("/app/a"), says("SCRIPT_NAME=/app"));
}

TEST(ScriptAlias, OfADirectoryTakesTheScriptFromTheUrl) {
  Httpd httpd("WSGIScriptAlias /apps/ ${APPS}/");
  EXPECT_THAT(httpd.get("/apps/environ.wsgi/a"), says("SCRIPT_NAME=/apps/environ.wsgi"));
  EXPECT_THAT(httpd.get("/apps/environ.wsgi/a"), says("PATH_INFO=/a"));
  httpd.expect_log("PH0135");
  EXPECT_EQ(httpd.get("/apps/missing.wsgi").status, 404);
  httpd.expect_log("PH0136");
  EXPECT_EQ(httpd.get("/apps/").status, 403);
}

TEST(ScriptAlias, OfADirectoryHasAnIndex) {
  const Httpd httpd(
      "WSGIScriptAlias /apps/ ${APPS}/ application-group=indexed\nDirectoryIndex environ.wsgi");
  EXPECT_THAT(httpd.get("/apps/"), says("mod_wsgi.application_group=indexed"));
}

TEST(ScriptAlias, ObeysTheRulesForSymbolicLinks) {
  Httpd httpd(
      "WSGIScriptAlias /linked ${ROOT}/linked/environ.wsgi\n"
      "WSGIScriptAlias /link ${ROOT}/link.wsgi\n"
      "WSGIScriptAlias /apps ${APPS}/environ.wsgi\n"
      "<Directory ${ROOT}>\nOptions -FollowSymLinks\n</Directory>\n");
  std::filesystem::create_symlink(httpd.app("environ.wsgi"), httpd.root() + "/link.wsgi");
  std::filesystem::create_symlink(httpd.root() + "/apps", httpd.root() + "/linked");
  EXPECT_EQ(httpd.get("/apps").status, 200);
  httpd.expect_log("AH00037");
  EXPECT_EQ(httpd.get("/link/a").status, 403);
  EXPECT_EQ(httpd.get("/linked/a").status, 403);
}

TEST(ScriptAlias, LeavesNoDotsInThePathInfo) {
  const Httpd httpd("AllowEncodedSlashes On\nWSGIScriptAlias /app ${APPS}/environ.wsgi");
  EXPECT_THAT(httpd.get("/app/a%2F..%2Fb/%2E/c"), says("PATH_INFO=/b/c"));
  EXPECT_THAT(httpd.get("/app/.hidden"), says("PATH_INFO=/.hidden"));
}

// What the configuration says of a script holds for every URL of it.
TEST(ScriptAlias, ObeysSectionsThatNameTheScriptWhateverStandsBehindIt) {
  Httpd httpd(
      "MergeSlashes Off\n"
      "AllowEncodedSlashes On\n"
      "WSGIScriptAlias /app ${APPS}/environ.wsgi\n"
      "WSGIScriptAlias /folder/ ${APPS}/\n"
      "WSGIScriptAliasMatch ^/match/([a-z]+) ${APPS}/$1.wsgi\n"
      "WSGIScriptAlias /deep/ ${ROOT}/\n"
      "<Directory ${APPS}/environ.wsgi>\nRequire env LET_IN\n</Directory>\n"
      "SetEnvIf X-Key right LET_IN\n");
  httpd.expect_log("AH01630");
  const std::pair<std::string, std::string> mounts[] = {
      {"/app", "/app"},
      {"/folder/environ.wsgi", "/folder/environ.wsgi"},
      {"/match/environ", "/match/environ"},
      {"/deep/apps/environ.wsgi", "/deep/apps/environ.wsgi"},
      {"/deep//apps///environ.wsgi", "/deep/apps/environ.wsgi"}};
  for (const auto& [mount, script_name] : mounts) {
    for (const char* rest :
         {"", "/", "/a/b", "//a", "/a//b", "/.a", "/a/.b", "/...", "/a%2F..%2Fb"}) {
      const std::string path = mount + rest;
      EXPECT_EQ(httpd.get(path).status, 403) << path;
      const Response reply = httpd.request({.path = path, .headers = {{"X-Key", "right"}}});
      EXPECT_THAT(reply, says("SCRIPT_NAME=" + script_name)) << path;
    }
  }
}

TEST(ScriptAlias, ObeysSectionsThatLetTheScriptAloneIn) {
  Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/environ.wsgi\n"
      "<Directory ${APPS}>\nRequire all denied\n</Directory>\n"
      "<Directory ${APPS}/environ.wsgi>\nRequire all granted\n</Directory>\n");
  EXPECT_THAT(httpd.get("/app"), says("PATH_INFO="));
  EXPECT_THAT(httpd.get("/app/a/b"), says("PATH_INFO=/a/b"));
}

TEST(ScriptAlias, IsNotLeftByDotsOfARewrittenUrl) {
  Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/environ.wsgi\n"
      "RewriteEngine On\n"
      "RewriteCond %{QUERY_STRING} ^path=(.*)\n"
      "RewriteRule ^/any$ /app/%1 [PT]\n");
  EXPECT_THAT(httpd.get("/any?path=a/b"), says("PATH_INFO=/a/b"));
  EXPECT_THAT(httpd.get("/any?path=a/./c/../b"), says("PATH_INFO=/a/b"));
  for (const char* path : {"../body.wsgi", "../apps/body.wsgi", "x/../../body.wsgi"}) {
    EXPECT_EQ(httpd.get("/any?path=" + std::string(path)).status, 404) << path;
  }
}

TEST(ScriptAlias, GivesWayToAnAliasForFiles) {
  const Httpd httpd("WSGIScriptAlias / ${APPS}/environ.wsgi\nAlias /static ${ROOT}/htdocs",
                    {.files = {{"htdocs/a.txt", "a file\n"}}});
  EXPECT_EQ(httpd.get("/static/a.txt").body, "a file\n");
  EXPECT_THAT(httpd.get("/other"), says("PATH_INFO=/other"));
}

TEST(ScriptAlias, OfTheVirtualHostComesBeforeThoseOfTheServer) {
  const Httpd httpd(R"(
    WSGIScriptAlias /a ${APPS}/body.wsgi
    WSGIScriptAlias /b ${APPS}/environ.wsgi
    <VirtualHost *:*>
      ServerName inner
      WSGIScriptAlias /a ${APPS}/environ.wsgi
    </VirtualHost>)");
  EXPECT_THAT(httpd.get("/a/x"), says("SCRIPT_NAME=/a"));
  EXPECT_THAT(httpd.get("/b/x"), says("SCRIPT_NAME=/b"));
}

TEST(ScriptAlias, TakesOptions) {
  const Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/environ.wsgi application-group=\"my group\"\n"
      "WSGIScriptAlias /other ${APPS}/environ.wsgi callable-object=other\n"
      "WSGIApplicationGroup outer");
  EXPECT_THAT(httpd.get("/app"), says("mod_wsgi.application_group=my group"));
  EXPECT_EQ(httpd.get("/other").body, "other");
}

TEST(ScriptAlias, RunsAModuleWithoutAFile) {
  Httpd httpd(
      "WSGIScriptAlias /shop shop.api:serve\nWSGIPythonPath ${ROOT}/lib\n"
      "<Location /shop/secret>\nRequire all denied\n</Location>",
      {.files = {{"lib/shop/__init__.py", ""},
                 {"lib/shop/api.py",
                  "def serve(environ, start_response):\n"
                  "    start_response('200 OK', [])\n"
                  "    return [environ['SCRIPT_NAME'].encode(), b'|', "
                  "environ['PATH_INFO'].encode()]\n"}}});
  EXPECT_EQ(httpd.get("/shop/a/b").body, "/shop|/a/b");
  EXPECT_EQ(httpd.get("/shop").body, "/shop|");
  httpd.expect_log("AH01630");
  EXPECT_EQ(httpd.get("/shop/secret").status, 403);
}

TEST(ScriptAlias, WithBothGroupsIsImportedWhenAChildStarts) {
  const Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/environ.wsgi process-group=%{GLOBAL} "
      "application-group=%{GLOBAL}");
  httpd.wait_for_log("imported script " + httpd.app("environ.wsgi"));
}

TEST(ScriptAliasMatch, FillsInTheGroupsOfTheExpression) {
  const Httpd httpd("WSGIScriptAliasMatch ^/run/([a-z]+) ${APPS}/$1.wsgi");
  EXPECT_THAT(httpd.get("/run/environ/a"), says("SCRIPT_NAME=/run/environ"));
  EXPECT_THAT(httpd.get("/run/environ/a"), says("PATH_INFO=/a"));
  EXPECT_EQ(httpd.get("/running").status, 404);
}

TEST(Handler, RunsScriptsWhereExecCgiIsOn) {
  Httpd httpd(R"(
    Alias /on ${APPS}
    Alias /off ${APPS}
    AddHandler wsgi-script .wsgi
    <Location /on>
      Options +ExecCGI
    </Location>)");
  EXPECT_THAT(httpd.get("/on/environ.wsgi/a"), says("SCRIPT_NAME=/on/environ.wsgi"));
  httpd.expect_log("PH0134");
  EXPECT_EQ(httpd.get("/off/environ.wsgi").status, 403);
}

TEST(Handler, HasALegacyName) {
  const Httpd httpd(R"(
    Alias /on ${APPS}
    <Location /on>
      Options +ExecCGI
      SetHandler application/x-httpd-wsgi
    </Location>)");
  EXPECT_THAT(httpd.get("/on/environ.wsgi"),
              says("mod_wsgi.request_handler=application/x-httpd-wsgi"));
}

TEST(Handler, HonoursAcceptPathInfo) {
  Httpd httpd(
      "WSGIScriptAlias /app ${APPS}/environ.wsgi\n<Location /app>\nAcceptPathInfo "
      "Off\n</Location>");
  EXPECT_EQ(httpd.get("/app").status, 200);
  httpd.expect_log("PH0137");
  EXPECT_EQ(httpd.get("/app/a").status, 404);
}

TEST(ImportScript, ImportsWhenAChildStarts) {
  Httpd httpd(
      "WSGIImportScript ${APPS}/environ.wsgi process-group=%{GLOBAL} application-group=early\n"
      "WSGIImportScript ${ROOT}/none.wsgi process-group=%{GLOBAL} application-group=early\n"
      "WSGIScriptAlias /app ${APPS}/environ.wsgi");
  httpd.wait_for_log("imported script " + httpd.app("environ.wsgi"));
  httpd.expect_log("PH0105");
  EXPECT_EQ(httpd.get("/app").status, 200);
}

TEST(RestrictEmbedded, KeepsPythonOutOfHttpd) {
  Httpd httpd("WSGIScriptAlias /app ${APPS}/environ.wsgi\nWSGIRestrictEmbedded On");
  httpd.expect_log("PH0143");
  EXPECT_EQ(httpd.get("/app").status, 500);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0309")));
}

}  // namespace
}  // namespace pyhost::test

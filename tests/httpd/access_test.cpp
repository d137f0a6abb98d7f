// Scripts that httpd asks who may have what: in its own processes, and in those of a process group.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/digest_login.h"
#include "httpd/hook_places.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kBasic[] = "AuthType Basic\nAuthName test\nAuthBasicProvider wsgi\n";

class AccessScript : public HookTest {};
class AuthUserScript : public HookTest {};
class AuthGroupScript : public HookTest {};

constexpr auto name_of_place = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Hooks, AccessScript, testing::ValuesIn(kHookPlaces), name_of_place);
INSTANTIATE_TEST_SUITE_P(Hooks, AuthUserScript, testing::ValuesIn(kHookPlaces), name_of_place);
INSTANTIATE_TEST_SUITE_P(Hooks, AuthGroupScript, testing::ValuesIn(kHookPlaces), name_of_place);

// --- allow_access ---

TEST_P(AccessScript, LetsPassOrDenies) {
  const HookedHttpd httpd(guarded_page(hook("WSGIAccessScript") + "Require all granted\n"),
                          with_page());
  EXPECT_EQ(httpd.get("/x?access=yes").body, "the page");
  EXPECT_EQ(httpd.get("/x?access=none").body, "the page");
  EXPECT_EQ(httpd.get("/x?access=no").status, 403);
  EXPECT_THAT(httpd.log(), HasSubstr("PH0057"));
  EXPECT_THAT(httpd.log(), HasSubstr("access for 127.0.0.1 in " +
                                     std::string(GetParam().in_group ? "hooks" : "") + ":"));
}

TEST_P(AccessScript, LeavesWhatItHasNoOpinionOnToOthers) {
  const HookedHttpd httpd(guarded_page(hook("WSGIAccessScript") + "Require all denied\n"),
                          with_page());
  for (const char* word : {"yes", "none"}) {
    EXPECT_EQ(httpd.get(std::string("/x?access=") + word).status, 403) << word;
  }
}

TEST_P(AccessScript, DeniesWhenItsAnswerIsNone) {
  HookedHttpd httpd(guarded_page(hook("WSGIAccessScript") + "Require all granted\n"), with_page());
  for (const char* word : {"one", "empty", "text", "bytes", "raise"}) {
    EXPECT_EQ(httpd.get(std::string("/x?access=") + word).status, 403) << word;
  }
  httpd.expect_log("PH0055");
  httpd.expect_log("PH0174");
}

TEST_P(AccessScript, DeniesWhenItCannotBeLoaded) {
  HookedHttpd httpd(guarded_page(hook("WSGIAccessScript", "missing.py") + "Require all granted\n"),
                    with_page());
  EXPECT_EQ(httpd.get("/x").status, 403);
  EXPECT_EQ(httpd.get("/x").status, 403);
  httpd.expect_log("missing.py");
}

TEST_P(AccessScript, DeniesWhenItHasNoSuchFunction) {
  HookedHttpd httpd(guarded_page(hook("WSGIAccessScript", "echo.wsgi") + "Require all granted\n"),
                    with_page());
  EXPECT_EQ(httpd.get("/x").status, 403);
  httpd.expect_log("PH0501");
}

TEST_P(AccessScript, HasTheRequestInItsEnvironButNoCredentials) {
  const Options options{.files = {{"htdocs/page.txt", "the page"}, {"peek.py", R"(
def look(environ, host):
    print('asked KEYS', sorted(environ), file=environ['wsgi.errors'])
    return environ['REQUEST_METHOD'] == 'GET' and environ['QUERY_STRING'] == 'a=1'
)"}}};
  const HookedHttpd httpd(
      guarded_page(std::string("WSGIAccessScript ${ROOT}/peek.py callable-object=look") +
                   GetParam().options + "\nCGIPassAuth On\nRequire all granted\n"),
      options);
  EXPECT_EQ(httpd.request({.path = "/x?a=1", .headers = basic("bob:pw")}).status, 200);
  EXPECT_EQ(httpd.get("/x?a=2").status, 403);
  const std::string log = httpd.log();
  const auto keys = between(log, "KEYS", "\n");
  for (const char* key : {"REMOTE_ADDR", "SCRIPT_NAME", "wsgi.errors", "mod_wsgi.process_group"}) {
    EXPECT_THAT(keys, HasSubstr(key));
  }
  EXPECT_THAT(keys, Not(HasSubstr("AUTHORIZATION")));
  EXPECT_THAT(keys, Not(HasSubstr("wsgi.input'")));
}

TEST_P(AccessScript, IsAskedOnceForAPageAndAllThatItLists) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 100; ++i) files.emplace_back("htdocs/list/f" + std::to_string(i), "x");
  const HookedHttpd httpd(
      "LoadModule autoindex_module /usr/lib/apache2/modules/mod_autoindex.so\n"
      "WSGIDaemonProcess hooks threads=2\n"
      "<Directory ${ROOT}/htdocs/list>\nOptions +Indexes\n" +
          hook("WSGIAccessScript") + "</Directory>\n",
      {.files = files});
  EXPECT_THAT(httpd.get("/list/").body, HasSubstr("f99"));
  EXPECT_EQ(count(httpd.log(), "asked access"), 1u);
}

// --- check_password ---

TEST_P(AuthUserScript, ChecksPasswords) {
  const HookedHttpd httpd(
      guarded_page(kBasic + hook("WSGIAuthUserScript") + "Require valid-user\n"), with_page());
  const auto status = [&](std::string_view credentials) {
    return httpd.request({.path = "/x", .headers = basic(credentials)}).status;
  };
  EXPECT_EQ(status("bob:pw"), 200);
  EXPECT_EQ(status("bob:wrong"), 401);
  EXPECT_EQ(status("nobody:pw"), 401);
  EXPECT_EQ(httpd.get("/x").status, 401);
}

TEST_P(AuthUserScript, TakesNamesAndPasswordsInAnyBytes) {
  HookedHttpd httpd(guarded_page(kBasic + hook("WSGIAuthUserScript") + "Require valid-user\n"),
                    with_page());
  const auto status = [&](std::string_view credentials) {
    return httpd.request({.path = "/x", .headers = basic(credentials)}).status;
  };
  EXPECT_EQ(status("anna:gr\xc3\xa4\xc3\x9flich"), 200);  // UTF-8
  EXPECT_EQ(status("anna:gr\xe4\xdflich"), 200);          // Latin-1
  EXPECT_EQ(status("\xff\xfe\x80:\x81\x01\x7f"), 401);
  EXPECT_EQ(status(std::string(3000, '\xc3') + ":" + std::string(2000, '\xff')), 401);
  EXPECT_EQ(status(":"), 401);
  EXPECT_EQ(status(std::string_view("bob\0x:pw", 8)), 401);  // for httpd it ends there
}

TEST_P(AuthUserScript, IsLeftForTheNextProviderWhenItDoesNotKnowTheUser) {
  Options options = with_page();
  options.files.emplace_back("users", "dora:{SHA}+vvqygzaJ2oFz6JZWeLBSd+D7ck=\n");
  HookedHttpd httpd(guarded_page(std::string(kBasic) +
                                 "AuthBasicProvider wsgi file\n"
                                 "AuthUserFile ${ROOT}/users\n" +
                                 hook("WSGIAuthUserScript") + "Require valid-user\n"),
                    options);
  EXPECT_EQ(httpd.request({.path = "/x", .headers = basic("dora:x")}).status, 401);
  EXPECT_THAT(httpd.log(), HasSubstr("asked password of 'dora'"));
  EXPECT_THAT(httpd.log(), HasSubstr("dora: authentication failure"));
  httpd.expect_log("AH01617");
}

TEST_P(AuthUserScript, MayGiveTheUserAnotherName) {
  const HookedHttpd httpd(
      guarded_page(kBasic + hook("WSGIAuthUserScript") + "Require user carol\n"), with_page());
  EXPECT_EQ(httpd.request({.path = "/x", .headers = basic("eve:carol")}).body, "the page");
  EXPECT_EQ(httpd.request({.path = "/x", .headers = basic("bob:pw")}).status, 401);
}

TEST_P(AuthUserScript, FailsWhenItsAnswerIsNone) {
  HookedHttpd httpd(guarded_page(kBasic + hook("WSGIAuthUserScript") + "Require valid-user\n"),
                    with_page());
  for (const char* word : {"one", "empty", "bytes", "raise"}) {
    EXPECT_EQ(httpd.request({.path = "/x", .headers = basic(std::string("eve:") + word)}).status,
              500)
        << word;
  }
  httpd.expect_log("PH0176");
  httpd.expect_log("PH0177");
  httpd.expect_log("PH0174");
}

TEST_P(AuthUserScript, IsNeededWhereItsProviderIsNamed) {
  HookedHttpd httpd(guarded_page(std::string(kBasic) + "Require valid-user\n"), with_page());
  EXPECT_EQ(httpd.request({.path = "/x", .headers = basic("bob:pw")}).status, 500);
  httpd.expect_log("PH0503");
}

TEST_P(AuthUserScript, LeavesNoPasswordInTheLog) {
  HookedHttpd httpd("LogLevel trace8\n" +
                        guarded_page(kBasic + hook("WSGIAuthUserScript") + "Require valid-user\n"),
                    with_page());
  for (const char* credentials : {"bob:Hh7pwLongAndSecret", "nobody:Hh7pwLongAndSecret"}) {
    EXPECT_EQ(httpd.request({.path = "/x", .headers = basic(credentials)}).status, 401);
  }
  EXPECT_THAT(httpd.log(), HasSubstr("asked password of 'bob' with 18 characters"));
  EXPECT_THAT(httpd.log(), Not(HasSubstr("Hh7pw")));
}

// --- get_realm_hash ---

TEST_P(AuthUserScript, HasTheHashesOfDigestAuthentication) {
  HookedHttpd httpd("LoadModule auth_digest_module /usr/lib/apache2/modules/mod_auth_digest.so\n" +
                        guarded_page("AuthType Digest\nAuthName test\nAuthDigestProvider wsgi\n" +
                                     hook("WSGIAuthUserScript") + "Require valid-user\n"),
                    with_page());
  EXPECT_EQ(digest_login(httpd, "/x", "bob", "pw"), 200);
  EXPECT_EQ(digest_login(httpd, "/x", "bob", "wrong"), 401);
  EXPECT_EQ(digest_login(httpd, "/x", "nobody", "pw"), 401);
  EXPECT_EQ(digest_login(httpd, "/x", "\xff\xc3", "\x80"), 401);
  EXPECT_EQ(digest_login(httpd, "/x?hash=empty", "eve", "pw"), 500);
  EXPECT_EQ(digest_login(httpd, "/x?hash=one", "eve", "pw"), 500);
  httpd.expect_log("PH0178");
  httpd.expect_log("PH0179");
  httpd.tolerate_log("AH01790");
  httpd.tolerate_log("AH01792");
  httpd.tolerate_log("AH01794");
}

// --- groups_for_user ---

TEST_P(AuthGroupScript, KnowsTheGroupsOfUsers) {
  HookedHttpd httpd(guarded_page(kBasic + hook("WSGIAuthUserScript") + hook("WSGIAuthGroupScript") +
                                 "Require wsgi-group admin \"staff\"\n"),
                    with_page());
  const auto status = [&](std::string_view groups) {
    return httpd.request({.path = "/x?groups=" + std::string(groups), .headers = basic("bob:pw")})
        .status;
  };
  EXPECT_EQ(status("staff"), 200);
  EXPECT_EQ(status("generator"), 200);
  for (const char* word : {"nobody", "number", "text", "none", "raise"}) {
    EXPECT_THAT(status(word), testing::AnyOf(401, 403)) << word;
  }
  httpd.expect_log("PH0052");
  httpd.expect_log("PH0174");
  httpd.tolerate_log("AH01631");
  httpd.wait_for_log("PH0059");
  httpd.wait_for_log("PH0058");
}

TEST_P(AuthGroupScript, IsAskedForNobodyWhoHasNotProvedWhoHeIs) {
  HookedHttpd httpd(guarded_page(kBasic + hook("WSGIAuthUserScript") + hook("WSGIAuthGroupScript") +
                                 "Require wsgi-group staff\n"),
                    with_page());
  EXPECT_EQ(httpd.get("/x").status, 401);
  EXPECT_EQ(httpd.request({.path = "/x", .headers = basic("bob:no")}).status, 401);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("asked groups")));
}

// --- The configuration ---

TEST(HookDirectives, RefuseWhatCannotWork) {
  const auto error_of = [](const std::string& line, const std::string& before = "") {
    const ConfigCheck check = check_config(before + "<Location /x>\n" + line + "\n</Location>\n");
    EXPECT_FALSE(check.ok()) << line;
    return check.output;
  };
  EXPECT_THAT(error_of("WSGIAccessScript"), HasSubstr("WSGIAccessScript takes"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py color=red"), HasSubstr("unknown option 'color'"));
  EXPECT_THAT(error_of("WSGIAuthUserScript /a.py callable-object=f"),
              HasSubstr("unknown option 'callable-object'"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py process-group=gone"),
              HasSubstr("there is no process group 'gone'"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py process-group=%{ENV:X}"),
              HasSubstr("only known once there is a request"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py application-group=%{RESOURCE}"),
              HasSubstr("is not for hook scripts"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py timeout=2s"), HasSubstr("timeout= needs"));
  EXPECT_THAT(error_of("WSGIAccessScript /a.py process-group=g timeout=0"),
              HasSubstr("give a time above 0"));
  EXPECT_THAT(error_of("WSGICheckAuthn /a.py", "WSGIRestrictEmbedded On\n"),
              HasSubstr("add process-group="));
  EXPECT_THAT(error_of("Require wsgi-group"), HasSubstr("takes the names of groups"));
  EXPECT_THAT(check_config("WSGIAccessScript /a.py\n").output, HasSubstr("not allowed"));
  EXPECT_TRUE(check_config("<Location /x>\nWSGIGroupAuthoritative Off\n</Location>\n").ok());
}

TEST(HookDirectives, AreNotAskedWhereAConfigurationIsOnlyLookedAt) {
  const ConfigCheck check = check_config(
      "WSGIDaemonProcess hooks\n"
      "WSGIDispatchScript ${APPS}/hooks.py process-group=hooks\n"
      "WSGIScriptAlias / ${APPS}/echo.wsgi\n"
      "<Location />\n"
      "WSGIAccessScript ${APPS}/hooks.py process-group=hooks\n"
      "</Location>\n");
  EXPECT_TRUE(check.ok()) << check.output;
  for (const char* id : {"PH0574", "PH0575", "PH0583"}) {
    EXPECT_THAT(check.output, Not(HasSubstr(id)));
  }
}

TEST(HookDirectives, InHtaccessFilesRunEmbeddedOrNotAtAll) {
  Options options{
      .files = {{"gate.py", "def allow_access(e, h):\n    return e['QUERY_STRING'] == 'yes'\n"},
                {"htdocs/a/page.txt", "the page"},
                {"htdocs/a/.htaccess", "WSGIAccessScript ${ROOT}/gate.py\n"},
                {"htdocs/b/page.txt", "the page"},
                {"htdocs/b/.htaccess", "WSGIAccessScript ${ROOT}/gate.py process-group=hooks\n"}}};
  const std::string config =
      "WSGIDaemonProcess hooks\n"
      "<Directory ${ROOT}/htdocs>\nAllowOverride AuthConfig\n</Directory>\n";
  HookedHttpd httpd(config, options);
  EXPECT_EQ(httpd.get("/a/page.txt?yes").status, 200);
  EXPECT_EQ(httpd.get("/a/page.txt?no").status, 403);
  EXPECT_EQ(httpd.get("/b/page.txt").status, 500);
  httpd.expect_log("cannot send a script to a process group");
  HookedHttpd restricted("WSGIRestrictEmbedded On\n" + config, options);
  EXPECT_EQ(restricted.get("/a/page.txt").status, 500);
  restricted.expect_log("WSGIRestrictEmbedded On");
}

}  // namespace
}  // namespace pyhost::test

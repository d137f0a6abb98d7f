// A script that finds out who has sent a request, and may answer it itself.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "httpd/hook_places.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

class CheckAuthn : public HookTest {
 protected:
  static Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  static std::string gate() { return hook("WSGICheckAuthn") + "Require valid-user\n"; }
};

INSTANTIATE_TEST_SUITE_P(Hooks, CheckAuthn, testing::ValuesIn(kHookPlaces),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(CheckAuthn, SaysWhoItIs) {
  const HookedHttpd httpd(guarded_page(hook("WSGICheckAuthn") + "Require user alice carl\n"),
                          with_page());
  EXPECT_EQ(httpd.request({.path = "/x", .headers = bearer("alice")}).body, "the page");
  EXPECT_EQ(httpd.request({.path = "/x", .headers = bearer("mallory")}).status, 403);
  EXPECT_EQ(httpd.get("/x?authn=name").body, "the page");
}

TEST_P(CheckAuthn, GivesTheApplicationUserAndVariables) {
  const HookedHttpd httpd(
      "WSGIDaemonProcess hooks threads=2\n"
      "WSGIScriptAlias /x ${APPS}/environ.wsgi\n"
      "CustomLog ${ROOT}/access.log \"%u %{level}n\"\n"
      "<Location /x>\n" +
      gate() + "</Location>\n");
  const Response reply = httpd.request({.path = "/x", .headers = bearer("alice")});
  EXPECT_THAT(reply.body, HasSubstr("REMOTE_USER"));
  EXPECT_THAT(reply.body, HasSubstr("alice"));
  EXPECT_THAT(reply.body, HasSubstr("TENANT"));
}

TEST_P(CheckAuthn, AnswersWithAnyStatusHeadersAndBody) {
  const HookedHttpd httpd(guarded_page(gate()), with_page());
  const Response unknown = httpd.get("/x");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.body, "no token\n");
  EXPECT_EQ(unknown.header("WWW-Authenticate"), "Bearer realm=\"test\"");
  EXPECT_EQ(unknown.header("Content-Type"), "text/plain; charset=utf-8");

  const Response form = httpd.get("/x?authn=form");
  EXPECT_EQ(form.status, 200);
  EXPECT_EQ(form.body, "<form>");
  EXPECT_EQ(form.header("Content-Type"), "text/html");
  EXPECT_EQ(form.header("Set-Cookie"), "a=b");

  EXPECT_EQ(httpd.get("/x?authn=teapot").status, 418);
  EXPECT_EQ(httpd.get("/x?authn=deny").status, 403);
}

TEST_P(CheckAuthn, SendsTheClientElsewhere) {
  const HookedHttpd httpd(guarded_page(gate()), with_page());
  const Response reply = httpd.get("/x?authn=redirect");
  EXPECT_EQ(reply.status, 302);
  EXPECT_EQ(reply.header("Location"), "https://sso.test/?back=1");
  EXPECT_EQ(reply.header("Set-Cookie"), "c=d");
}

TEST_P(CheckAuthn, LeavesAPageWithoutABodyToErrorDocument) {
  const HookedHttpd httpd("ErrorDocument 403 \"our page\n" + guarded_page(gate()), with_page());
  EXPECT_EQ(httpd.get("/x?authn=deny").body, "our page");
  EXPECT_EQ(httpd.get("/x?authn=teapot").body, "short and stout");
}

TEST_P(CheckAuthn, KeepsTheConnectionBehindAReplyToARequestWithABody) {
  const HookedHttpd httpd(guarded_page(gate()), with_page());
  HttpClient client = httpd.client();
  const std::string body(300'000, 'b');
  EXPECT_EQ(client.request({.method = "POST", .path = "/x?authn=teapot", .body = body}).status,
            418);
  const Response next = client.get("/x?authn=name");
  EXPECT_TRUE(next.on_kept_connection);
  EXPECT_EQ(next.body, "the page");
}

TEST_P(CheckAuthn, AnswersHeadWithoutABody) {
  const HookedHttpd httpd(guarded_page(gate()), with_page());
  const Response reply = httpd.request({.method = "HEAD", .path = "/x?authn=teapot"});
  EXPECT_EQ(reply.status, 418);
  EXPECT_EQ(reply.body, "");
}

TEST_P(CheckAuthn, LeavesItToAuthTypeWhenItHasNoOpinion) {
  const HookedHttpd httpd(guarded_page("AuthType Basic\nAuthName test\nAuthBasicProvider wsgi\n" +
                                       hook("WSGIAuthUserScript") + gate()),
                          with_page());
  EXPECT_EQ(httpd.get("/x?authn=none").status, 401);
  EXPECT_EQ(httpd.request({.path = "/x?authn=none", .headers = basic("bob:pw")}).status, 200);
}

TEST_P(CheckAuthn, FailsWhenItsAnswerIsNone) {
  HookedHttpd httpd(guarded_page(gate()), with_page());
  for (const char* word : {"true", "large", "split", "header", "status", "raise", "one"}) {
    const Response reply = httpd.get(std::string("/x?authn=") + word);
    EXPECT_EQ(reply.status, 500) << word;
    EXPECT_FALSE(reply.header("X-A")) << word;
  }
  httpd.expect_log("PH0502");
  httpd.expect_log("PH0174");
}

TEST_P(CheckAuthn, IsNotAskedWhereNobodyNeedsToBeKnown) {
  const HookedHttpd httpd(guarded_page(hook("WSGICheckAuthn") + "Require all granted\n"),
                          with_page());
  EXPECT_EQ(httpd.get("/x?authn=deny").body, "the page");
}

TEST_P(CheckAuthn, GivesAnIncludedPageNoAccessByAReplyOfItsOwn) {
  Options options = with_page();
  options.files.emplace_back("htdocs/outer.shtml", "[<!--#include virtual=\"/x?authn=form\" -->]");
  HookedHttpd httpd(
      "AddOutputFilter INCLUDES .shtml\nOptions +Includes\n"
      "<Directory ${ROOT}/htdocs>\nOptions +Includes\n</Directory>\n" +
          guarded_page(gate()),
      options);
  const std::string body = httpd.get("/outer.shtml").body;
  EXPECT_THAT(body, testing::Not(HasSubstr("the page")));
  EXPECT_THAT(body, testing::Not(HasSubstr("<form>")));
  httpd.tolerate_log("unable to include");
}

}  // namespace
}  // namespace pyhost::test

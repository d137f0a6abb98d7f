// What `pyhost check` finds in configurations that httpd starts with, and in others.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>

#include "harness/httpd.h"
#include "httpd/checked.h"

namespace pyhost::test {
namespace {

using control::Finding;
using control::Severity;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A group and an application that nothing is wrong with.
constexpr char kGood[] =
    "WSGIDaemonProcess good threads=2\n"
    "WSGIPassAuthorization On\n"
    "WSGIScriptAlias /good ${APPS}/process.wsgi process-group=good\n"
    "WSGISocketPrefix /run/pyhost-test\n";

struct Mistake {
  const char* name;
  const char* config;
  const char* id;
  Severity severity;
  const char* sentence;  // and its cure, as a regular expression
};

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.name;
}

class Check : public testing::TestWithParam<Mistake> {};

TEST_P(Check, FindsIt) {
  const Mistake& mistake = GetParam();
  const Checked checked(std::string(kGood) + mistake.config);
  const auto found = checked.findings(mistake.id);
  ASSERT_EQ(found.size(), 1u) << checked.run({"check"});
  EXPECT_EQ(found[0].severity, mistake.severity);
  EXPECT_THAT(found[0].sentence + "; " + found[0].cure, ContainsRegex(mistake.sentence));
  const bool bad = mistake.severity != Severity::advice;
  EXPECT_EQ(checked.run({"check"}).exit_code, bad ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Check,
    testing::Values(
        Mistake{"AScriptThatIsMissing",
                "WSGIScriptAlias /x ${APPS}/no/such.wsgi process-group=good\n", "PH0570",
                Severity::warning, "for user .*, .*/apps/no does not exist; mend the path"},
        Mistake{"AnEmbeddedScriptThatIsMissing", "WSGIScriptAlias /x ${APPS}/none.wsgi\n", "PH0570",
                Severity::warning, "none.wsgi does not exist"},
        Mistake{"AFolderOfModulesThatIsMissing", "WSGIPythonPath /no/such:${APPS}\n", "PH0571",
                Severity::warning, "WSGIPythonPath: for user .*, /no does not exist"},
        Mistake{"AGroupsFolderOfModulesThatIsNone",
                "WSGIDaemonProcess p threads=1 python-path=${APPS}/process.wsgi\n"
                "WSGIScriptAlias /p ${APPS}/process.wsgi process-group=p\n",
                "PH0571", Severity::warning, "WSGIDaemonProcess p: python-path=: .* is no folder"},
        Mistake{"AnAliasBehindAShorterOne",
                "WSGIScriptAlias /good/more ${APPS}/body.wsgi process-group=good\n", "PH0572",
                Severity::warning, "no request comes to it.*put this line before that one"},
        Mistake{"AnAliasThatIsThereTwice",
                "WSGIScriptAlias /good ${APPS}/body.wsgi process-group=good\n", "PH0572",
                Severity::warning, "take one of them away"},
        Mistake{"AuthorizationThatIsWithheld", "WSGIPassAuthorization Off\n", "PH0573",
                Severity::advice, "/good .*does not see the Authorization header"},
        Mistake{"AccessThatNobodyGrants",
                "WSGIScriptAlias /x ${ROOT}/shut/x.wsgi process-group=good\n", "PH0574",
                Severity::warning,
                "answered 403.*add: <Directory .*/shut> Require all granted </Directory>"},
        Mistake{"AGroupThatNothingUses", "WSGIDaemonProcess spare threads=1\n", "PH0575",
                Severity::advice, "WSGIDaemonProcess spare: nothing leads to this process group"},
        Mistake{"FewChildren",
                "WSGIDaemonProcess big processes=10 threads=20\n"
                "WSGIScriptAlias /b ${APPS}/process.wsgi process-group=big\n",
                "PH0576", Severity::advice, "could run 202; MaxRequestWorkers 202"},
        Mistake{"AFactorThatRefusesConnections", "AsyncRequestWorkerFactor 0.5\n", "PH0578",
                Severity::advice, "AsyncRequestWorkerFactor 0.5: .*leave it at 2 or above"},
        Mistake{"MoreWebSocketsThanHttpdHolds",
                "WSGIDaemonProcess chat interface=asgi threads=1 connections=5000\n"
                "WSGIScriptAlias /c ${APPS}/sockets.asgi process-group=chat\n",
                "PH0347", Severity::warning,
                "WSGIDaemonProcess chat: its workers could have 5000 WebSockets open, and httpd "
                "holds 24 with AsyncRequestWorkerFactor 2; .*AsyncRequestWorkerFactor 624"},
        Mistake{"AnExpressionThatLeadsNowhere",
                "<DirectoryMatch \"/wsgi/.*\">\n  SetHandler wsgi-script\n"
                "  WSGIProcessGroup good\n</DirectoryMatch>\n",
                "PH0582", Severity::advice, "DirectoryMatch /wsgi/.*: its expression"},
        Mistake{"ManyCopiesOfApplications",
                "WSGIScriptAlias /1 ${APPS}/process.wsgi\nWSGIScriptAlias /2 ${APPS}/process.wsgi\n"
                "WSGIScriptAlias /3 ${APPS}/process.wsgi\nWSGIScriptAlias /4 ${APPS}/process.wsgi\n"
                "WSGIScriptAlias /5 ${APPS}/process.wsgi\nWSGIScriptAlias /6 ${APPS}/process.wsgi\n"
                "WSGIScriptAlias /7 ${APPS}/process.wsgi\nWSGIScriptAlias /8 ${APPS}/process.wsgi\n"
                "WSGIScriptAlias /9 ${APPS}/process.wsgi\n",
                "PH0579", Severity::advice,
                "9 applications in httpd's own processes.*WSGIDaemonProcess"},
        Mistake{"ARestrictionToNoGroup", "WSGIRestrictProcess goof good %{GLOBAL}\n", "PH0581",
                Severity::warning, "no process group 'goof'; did you mean good"},
        Mistake{"AHandlerThatIsMisspelt", "<Location /h>\n  SetHandler wsgi-skript\n</Location>\n",
                "PH0581", Severity::warning, "SetHandler wsgi-skript: .*did you mean wsgi-script"},
        Mistake{"AnUnknownGroup", "WSGIScriptAlias /x ${APPS}/body.wsgi process-group=goot\n",
                "PH0355", Severity::error, "no process group 'goot' .the nearest name is 'good'"},
        Mistake{"AGroupThatCannotStart", "WSGIDaemonProcess x home=/no/such\n", "PH0355",
                Severity::error, "WSGIDaemonProcess x: home=/no/such cannot be entered"},
        Mistake{"ALineThatHttpdDoesNotRead", "WSGIDaemonProcess x thread=3\n", "httpd",
                Severity::error, "there is no option thread= .the nearest name is 'threads'"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(CheckedConfiguration, ThatIsGoodHasNoFindings) {
  const Checked checked(kGood);
  const CommandResult result = checked.run({"check"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_THAT(result.output, HasSubstr("\n0 errors, 0 warnings, 0 pieces of advice\n"));
  const auto report = checked.report();
  ASSERT_EQ(report.served.size(), 1u);
  const auto& served = report.served[0];
  EXPECT_EQ(served.url, "/good");
  EXPECT_EQ(served.target, checked.root() + "/apps/process.wsgi");
  EXPECT_EQ(served.process_group, "good");
  EXPECT_EQ(served.application_group, "") << "its only application has the main interpreter";
  EXPECT_THAT(served.python, testing::StartsWith("3."));
  EXPECT_THAT(served.place, ContainsRegex("/httpd\\.conf:[0-9]+$"));
  if (geteuid() == 0) {
    EXPECT_EQ(served.user, kServerUser);
  }
}

TEST(CheckedConfiguration, ListsTheScriptsOfHandlersHooksAndImports) {
  const Checked checked(
      "WSGIDaemonProcess hooks threads=1\n"
      "WSGIImportScript ${APPS}/process.wsgi process-group=hooks application-group=early\n"
      "WSGIHandlerScript py ${APPS}/handler.py process-group=hooks\n"
      "WSGIHandlerScript any ${APPS}/handler.py\n"
      "WSGIDispatchScript ${APPS}/hooks.py\n"
      "<Location /intern>\n  WSGIAccessScript ${APPS}/hooks.py process-group=hooks\n"
      "  WSGIAuthUserScript ${APPS}/hooks.py application-group=%{SERVER}\n"
      "  WSGIAuthGroupScript hooks:groups process-group=hooks\n"
      "  WSGICheckAuthn ${APPS}/hooks.py process-group=hooks\n"
      "  WSGIProcessGroup hooks\n</Location>\n"
      "<VirtualHost *:*>\n  ServerName other.test\n  WSGICallableObject app\n</VirtualHost>\n");
  std::string all;
  for (const auto& each : checked.report().scripts) {
    all += fmt::format("{} {} in '{}' '{}'{}\n", each.directive,
                       each.script.substr(each.script.rfind('/') + 1), each.process_group,
                       each.application_group, each.by_request ? " or another" : "");
    EXPECT_THAT(each.place, ContainsRegex("/httpd\\.conf:[0-9]+$"));
    EXPECT_EQ(each.python.empty(), each.by_request);
  }
  EXPECT_EQ(all,
            "WSGIImportScript process.wsgi in 'hooks' 'early'\n"
            "WSGIHandlerScript handler.py in 'hooks' ''\n"
            "WSGIHandlerScript handler.py in '' '%{RESOURCE}' or another\n"
            "WSGIDispatchScript hooks.py in '' ''\n"
            "WSGIAccessScript hooks.py in 'hooks' ''\n"
            "WSGIAuthUserScript hooks.py in '' '%{SERVER}'\n"
            "WSGIAuthGroupScript hooks:groups in 'hooks' ''\n"
            "WSGICheckAuthn hooks.py in 'hooks' ''\n");
  EXPECT_THAT(checked.run({"check"}).output, HasSubstr("  WSGIHandlerScript any "));
}

struct NamedScript {
  const char* name;
  const char* line;
};

class ScriptThatIsClosed : public testing::TestWithParam<NamedScript> {};

TEST_P(ScriptThatIsClosed, IsFoundWithUserAndFolder) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can see what others may";
  const std::string line = GetParam().line;
  const Checked checked("WSGIDaemonProcess g user=nobody\n" + line,
                        {.files = {{"closed/in/x.py", "application = None\n"}}});
  std::filesystem::permissions(checked.root() + "/closed", std::filesystem::perms::owner_all);
  const auto found = checked.findings("PH0570");
  ASSERT_EQ(found.size(), 1u) << checked.run({"check"});
  EXPECT_THAT(found[0].sentence,
              AllOf(HasSubstr(std::string(GetParam().name)),
                    HasSubstr("for user nobody, the folder " + checked.root() + "/closed is")));
  EXPECT_THAT(found[0].place, ContainsRegex("/httpd\\.conf:[0-9]+$"));
}

INSTANTIATE_TEST_SUITE_P(
    Of, ScriptThatIsClosed,
    testing::Values(NamedScript{"WSGIHandlerScript",
                                "WSGIHandlerScript py ${ROOT}/closed/in/x.py process-group=g\n"},
                    NamedScript{"WSGIImportScript",
                                "WSGIImportScript ${ROOT}/closed/in/x.py process-group=g "
                                "application-group=%{GLOBAL}\n"},
                    NamedScript{"WSGIDispatchScript",
                                "WSGIDispatchScript ${ROOT}/closed/in/x.py process-group=g\n"},
                    NamedScript{"WSGIAccessScript",
                                "<Location /x>\n  WSGIAccessScript ${ROOT}/closed/in/x.py "
                                "process-group=g\n</Location>\n"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(CheckedConfiguration, HasAllThatIsWrongAtOnceWithTheirPlaces) {
  const Checked checked(
      "WSGIDaemonProcess a user=nobody-knows\n"
      "WSGIDaemonProcess b home=/no/such\n"
      "WSGIScriptAlias /x /srv/no/such.wsgi\n");
  const auto report = checked.report();
  std::string all;
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::advice) continue;
    EXPECT_THAT(finding.place, ContainsRegex("/httpd\\.conf:[0-9]+$")) << finding.sentence;
    all += finding.sentence + '\n';
  }
  EXPECT_THAT(all, AllOf(HasSubstr("WSGIDaemonProcess a: "), HasSubstr("WSGIDaemonProcess b: "),
                         HasSubstr("does not exist")));
}

TEST(CheckedConfiguration, NamesTheUserAndTheFolderThatRefuses) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can see what others may";
  const Checked checked(
      "WSGIDaemonProcess g user=nobody\n"
      "WSGIScriptAlias / ${ROOT}/closed/in/site.wsgi process-group=g\n",
      {.files = {{"closed/in/site.wsgi", "application = None\n"}}});
  std::filesystem::permissions(checked.root() + "/closed", std::filesystem::perms::owner_all);
  const auto found = checked.findings("PH0570");
  ASSERT_EQ(found.size(), 2u);
  std::string all;
  for (const Finding& finding : found) all += finding.sentence + "; " + finding.cure + '\n';
  const std::string closed = "the folder " + checked.root() + "/closed is closed";
  EXPECT_THAT(all, HasSubstr("for user nobody, " + closed));
  EXPECT_THAT(all, HasSubstr("for user www-data, " + closed)) << "who says whether it is there";
  EXPECT_THAT(all, HasSubstr("setfacl -m u:nobody:x " + checked.root() + "/closed"));
}

// As a start says, which has left the terminal by then.
TEST(CheckedConfiguration, NamesTheGroupThatNoSharedMemoryIsLeftFor) {
  std::string config;
  for (int i = 0; i < 60; ++i) config += fmt::format("WSGIDaemonProcess g{}\n", i);
  const Checked checked(config);
  const CommandResult result =
      run_command({"/bin/sh", "-c", "ulimit -n 100 && exec \"$0\" check -f \"$1\"",
                   PYHOST_TEST_PROGRAM, checked.root() + "/httpd.conf"});
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_THAT(result.output,
              ContainsRegex("error PH0355 .*/httpd\\.conf:[0-9]+: WSGIDaemonProcess g[0-9]+: the "
                            "scoreboard cannot be made: Too many open files; raise the limit of "));
}

TEST(CheckedConfiguration, SaysWhatOnlyRootCanLookAt) {
  const Checked checked(
      "WSGIDaemonProcess g user=nobody\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n");
  const CommandResult result =
      run_as_server_user({PYHOST_TEST_PROGRAM, "check", "-f", checked.root() + "/httpd.conf"});
  EXPECT_THAT(result.output, HasSubstr("only root can become them"));
}

TEST(CheckedConfiguration, MayGrantAccessToSomeOnly) {
  const Checked checked(std::string(kGood) +
                            "WSGIScriptAlias /x ${ROOT}/some/x.wsgi process-group=good\n"
                            "<Directory ${ROOT}/some>\n  Require ip 10.0.0.0/8\n</Directory>\n",
                        {.files = {{"some/x.wsgi", ""}}});
  EXPECT_THAT(checked.findings("PH0574"), IsEmpty());
}

TEST(CheckedConfiguration, IsToldOfHttp2ThatPreforkDoesNotServe) {
  const Checked checked(std::string("LoadModule http2_module " PYHOST_TEST_HTTPD_MODULES_DIR
                                    "/mod_http2.so\nProtocols h2 http/1.1\n") +
                            kGood,
                        {.mpm = Mpm::prefork});
  EXPECT_EQ(checked.findings("PH0580").size(), 1u) << checked.run({"check"});
}

TEST(CheckedConfiguration, IsToldOfMpmsUnderWhichWebSocketsTakeThreads) {
  for (const Mpm mpm : {Mpm::worker, Mpm::prefork}) {
    const Checked checked(
        "WSGIDaemonProcess g interface=asgi\n"
        "WSGIScriptAlias / ${APPS}/sockets.asgi process-group=g\n",
        {.mpm = mpm});
    const auto found = checked.findings("PH0347");
    ASSERT_EQ(found.size(), 1u) << checked.run({"check"});
    EXPECT_THAT(found[0].sentence, HasSubstr("each takes a thread or process"));
  }
}

TEST(CheckedConfiguration, IsToldOfSocketsInAFolderThatIsOpen) {
  const Checked checked("WSGIDaemonProcess g\nWSGISocketPrefix /tmp/pyhost-test\n");
  const auto found = checked.findings("PH0577");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].sentence, HasSubstr("others than root can write to /tmp"));
}

TEST(CheckedConfiguration, WithoutTheModuleIsSaidToBe) {
  const Checked checked("", {.wsgi_module = WsgiModule::absent});
  const CommandResult result = checked.run({"check"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("the configuration does not load this module"));
}

// apachectl -t says the same of what keeps an application from being served, and lets httpd start.
TEST(CheckedConfiguration, IsLookedAtByHttpdsOwnTestToo) {
  const ConfigCheck check = check_config(std::string(kGood) +
                                         "WSGIScriptAlias /x ${APPS}/none.wsgi process-group=good\n"
                                         "WSGIScriptAlias /good/x ${APPS}/body.wsgi\n");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output,
              ContainsRegex("PH0570: WSGIScriptAlias /x .*\\(.*/httpd\\.conf:[0-9]+\\)"));
  EXPECT_THAT(check.output, ContainsRegex("PH0572: WSGIScriptAlias /good/x "));
}

// --- explain ---

TEST(Explained, IsWhatAnswersAUrlAndWhy) {
  const Checked checked(
      "WSGIDaemonProcess shop user=nobody\n"
      "WSGIScriptAlias /shop ${APPS}/process.wsgi\n"
      "<Location /shop/cart>\n  WSGIProcessGroup shop\n</Location>\n");
  auto explained = checked.explain("/shop/cart/7?x=1");
  EXPECT_EQ(explained.url, "/shop/cart/7?x=1");
  EXPECT_EQ(explained.target, checked.root() + "/apps/process.wsgi");
  EXPECT_EQ(explained.path_info, "/cart/7");
  EXPECT_THAT(explained.alias, HasSubstr("WSGIScriptAlias /shop "));
  EXPECT_EQ(explained.process_group, "shop");
  EXPECT_THAT(explained.chosen_by, ContainsRegex("WSGIProcessGroup at .*/httpd\\.conf:[0-9]+"));
  EXPECT_THAT(explained.group_place, ContainsRegex("/httpd\\.conf:[0-9]+"));
  EXPECT_EQ(explained.refusal, "");
  if (geteuid() == 0) {
    EXPECT_EQ(explained.user, "nobody");
  }
  explained = checked.explain("/shop");
  EXPECT_EQ(explained.process_group, "");
  EXPECT_THAT(explained.chosen_by, HasSubstr("httpd's own processes"));
}

TEST(Explained, IsTheVirtualHostThatTheNameBelongsTo) {
  const Checked checked(
      "<VirtualHost *:*>\n  ServerName one.test\n</VirtualHost>\n"
      "<VirtualHost *:*>\n  ServerName two.test\n  ServerAlias *.two.test\n"
      "  WSGIScriptAlias / ${APPS}/process.wsgi\n</VirtualHost>\n");
  EXPECT_EQ(checked.explain("/", "www.two.test").server, "two.test");
  EXPECT_EQ(checked.explain("/", "other.test").server, "one.test");
  EXPECT_THAT(checked.explain("/", "two.test").server_place, ContainsRegex("httpd\\.conf:[0-9]+"));
}

TEST(Explained, IsAVirtualHostWithAnAddressOfItsOwn) {
  const Checked checked(
      "<VirtualHost 127.0.0.2:*>\n  ServerName own.test\n"
      "  WSGIScriptAlias / ${APPS}/process.wsgi\n</VirtualHost>\n"
      "<VirtualHost *:*>\n  ServerName any.test\n</VirtualHost>\n");
  EXPECT_EQ(checked.explain("/", "own.test").server, "own.test");
  EXPECT_EQ(checked.explain("/", "any.test").server, "any.test");
}

TEST(Explained, IsAHandlerThatAnAccessFileSets) {
  const Checked checked(
      "# ${APPS}\n"
      "WSGIDaemonProcess g\n"
      "Alias /site ${ROOT}/site\n"
      "<Directory ${ROOT}/site>\n  AllowOverride All\n  Options +ExecCGI\n  WSGIProcessGroup g\n"
      "  Require all granted\n</Directory>\n",
      {.files = {{"site/.htaccess", "SetHandler wsgi-script\n"}, {"site/x.py", ""}}});
  const auto explained = checked.explain("/site/x.py");
  EXPECT_EQ(explained.handler, "wsgi-script");
  EXPECT_EQ(explained.process_group, "g");
  EXPECT_EQ(explained.alias, "");
  EXPECT_EQ(explained.refusal, "");
}

TEST(Explained, IsWhyNoApplicationAnswers) {
  const Checked checked(
      "WSGIScriptAlias /shut ${ROOT}/shut/x.wsgi\n"
      "WSGIScriptAlias /gone ${APPS}/gone.wsgi\n"
      "Redirect /old http://elsewhere.test/\n",
      {.files = {{"htdocs/plain.txt", ""}, {"shut/x.wsgi", ""}}});
  EXPECT_EQ(checked.explain("/shut").status, 403u);
  auto explained = checked.explain("/gone");
  EXPECT_EQ(explained.status, 404u);
  EXPECT_THAT(explained.refusal, AllOf(HasSubstr("PH0135"), HasSubstr("does not exist")));
  EXPECT_EQ(checked.explain("/old/x").status, 302u);
  EXPECT_EQ(checked.explain("/plain.txt").refusal, "no application answers it");
}

TEST(Explained, HasWhatSetEnvIfMakesOfTheUrl) {
  const Checked checked("LoadModule setenvif_module " PYHOST_TEST_HTTPD_MODULES_DIR
                        "/mod_setenvif.so\n"
                        "WSGIDaemonProcess shop\n"
                        "WSGIScriptAlias / ${APPS}/process.wsgi\n"
                        "WSGIProcessGroup %{ENV:GROUP}\n"
                        "SetEnvIf Request_URI ^/ GROUP=%{GLOBAL}\n"
                        "SetEnvIf Request_URI ^/cart GROUP=shop\n");
  EXPECT_EQ(checked.explain("/cart/1").process_group, "shop");
  EXPECT_EQ(checked.explain("/other").process_group, "");
}

TEST(Explained, LeavesToADispatchScriptWhatThatDecides) {
  const Checked checked(
      "WSGIScriptAlias /a ${APPS}/process.wsgi\nWSGIDispatchScript ${APPS}/no/such.wsgi\n");
  const auto explained = checked.explain("/a");
  EXPECT_THAT(explained.chosen_by,
              AllOf(HasSubstr("WSGIDispatchScript"), HasSubstr("httpd.conf:")));
  EXPECT_EQ(explained.refusal, "");
}

TEST(Explained, IsToldToPeople) {
  const Checked checked("WSGIScriptAlias /a ${APPS}/process.wsgi\n");
  const CommandResult told =
      checked.run({"explain", fmt::format("http://localhost:{}/a/b", checked.port())});
  EXPECT_EQ(told.exit_code, 0);
  EXPECT_THAT(told.output,
              AllOf(HasSubstr("  path info   /b\n"), HasSubstr("  answer      the application's\n"),
                    HasSubstr("SetEnvIf")));
}

}  // namespace
}  // namespace pyhost::test

// What httpd -t says about the directives.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "harness/detached_start.h"
#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct BadLine {
  const char* config;
  const char* complaint;
};

// Shown when a test of the table fails.
std::ostream& operator<<(std::ostream& out, const BadLine& line) {
  return out << line.config;
}

class BadDirective : public testing::TestWithParam<BadLine> {};

TEST_P(BadDirective, IsAnErrorThatSaysWhatIsAccepted) {
  const ConfigCheck check = check_config(GetParam().config);
  EXPECT_FALSE(check.ok());
  EXPECT_THAT(check.output, HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadDirective,
    testing::Values(
        BadLine{"WSGIScriptReloading Maybe",
                "WSGIScriptReloading: 'Maybe' is not accepted; give On or Off"},
        BadLine{"WSGIScriptReloading", "WSGIScriptReloading takes one argument"},
        BadLine{"WSGIPythonOptimize 1x",
                "WSGIPythonOptimize: '1x' is not accepted; give 0, 1 or 2"},
        BadLine{"WSGIPythonHashSeed 4294967296", "give random, or a number from 0 to 4294967295"},
        BadLine{"WSGISwitchInterval 0", "WSGISwitchInterval: '0' is not accepted"},
        BadLine{"WSGIInterpreterLimit -1", "WSGIInterpreterLimit: '-1' is not accepted"},
        BadLine{"WSGIMapHEADToGET Never", "give On, Off or Auto"},
        BadLine{"WSGIPythonPath lib", "WSGIPythonPath: 'lib' is not accepted"},
        BadLine{"WSGIProcessGroup %{NOWHERE}", "WSGIProcessGroup: '%{NOWHERE}' is not accepted"},
        BadLine{"WSGIAcceptMutex spinlock", "give default, flock, fcntl"},
        BadLine{"WSGIRestrictProcess \"two words\"", "WSGIRestrictProcess: 'two words'"},
        BadLine{"WSGIApplicationGroup %{RESSOURCE}", "%{RESOURCE}"}));

INSTANTIATE_TEST_SUITE_P(
    Aliases, BadDirective,
    testing::Values(
        BadLine{"WSGIScriptAlias /x", "WSGIScriptAlias takes a URL path and what to run there"},
        BadLine{"WSGIScriptAlias \"\" /srv/x.wsgi", "'' is no URL path"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi nonsense", "'nonsense' is not an option=value"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi =1", "is not an option=value"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi threads=5",
                "unknown option 'threads'; known are process-group=, application-group="},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi application-group=", "'' is not accepted"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi pass-authorization=1", "give On or Off"},
        BadLine{"WSGIScriptAliasMatch ^/( /srv/x.wsgi", "'^/(' is not a regular expression"},
        BadLine{"WSGIScriptAliasMatch ^/(.*) $1:app", "lets the client choose a module"},
        BadLine{"WSGIImportScript /srv/x.wsgi", "WSGIImportScript needs process-group=%{GLOBAL}"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL}",
                "WSGIImportScript needs application-group=name"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{HOST} application-group=a",
                "only known once there is a request"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL} application-group=a "
                "callable-object=b",
                "only knows process-group= and application-group="}));

INSTANTIATE_TEST_SUITE_P(
    Places, BadDirective,
    testing::Values(BadLine{"<VirtualHost *:1>\nWSGIPythonOptimize 1\n</VirtualHost>",
                            "WSGIPythonOptimize cannot occur within <VirtualHost> section"},
                    BadLine{"<Location />\nWSGIPythonOptimize 1\n</Location>",
                            "WSGIPythonOptimize not allowed"},
                    BadLine{"<Location />\nWSGIScriptAlias / /srv/x.wsgi\n</Location>",
                            "WSGIScriptAlias not allowed"}));

INSTANTIATE_TEST_SUITE_P(
    PythonHomes, BadDirective,
    testing::Values(BadLine{"WSGIPythonHome /nowhere/at/all",
                            "PH0355: WSGIPythonHome: /nowhere/at/all"},
                    BadLine{"WSGIPythonHome /etc/apt", "is not a Python environment"},
                    BadLine{"WSGIPythonHome venv", "'venv' is not an absolute path"}));

constexpr char kOtherHosts[] =
    "<VirtualHost *:1>\nServerName a.test\nWSGIDaemonProcess shop\n</VirtualHost>\n"
    "<VirtualHost *:1>\nServerName b.test\n"
    "WSGIImportScript /srv/x.wsgi process-group=shop application-group=x\n</VirtualHost>";

INSTANTIATE_TEST_SUITE_P(
    ProcessGroups, BadDirective,
    testing::Values(
        BadLine{"WSGIDaemonProcess", "WSGIDaemonProcess needs the name of a group"},
        BadLine{"WSGIDaemonProcess %{GLOBAL}", "'%{GLOBAL}' cannot be the name of a group"},
        BadLine{"WSGIDaemonProcess shop\nWSGIDaemonProcess shop",
                "WSGIDaemonProcess shop: the name is taken"},
        BadLine{"WSGIDaemonProcess shop threads", "'threads' is not an option=value"},
        BadLine{"WSGIDaemonProcess shop Threads=5",
                "there is no option Threads= (the nearest name is 'threads')"},
        BadLine{"WSGIDaemonProcess shop threads=abc", "threads=abc is not accepted"},
        BadLine{"WSGIDaemonProcess shop user=root", "user=root is not accepted"},
        BadLine{"WSGIDaemonProcess shop reload-on=app/*.py",
                "reload-on=app/*.py is not accepted; give an absolute path"},
        BadLine{"WSGIDaemonProcess shop user=nobody-knows", "there is no user nobody-knows"},
        BadLine{"WSGIDaemonProcess shop home=/nowhere/at/all",
                "WSGIDaemonProcess shop: home=/nowhere/at/all cannot be entered by user id"},
        BadLine{"WSGIDaemonProcess shop python-home=/nowhere/at/all",
                "WSGIDaemonProcess shop: python-home=: /nowhere/at/all"},
        BadLine{"WSGIDaemonProcess shop env-file=/nowhere/at/all", "/nowhere/at/all"},
        BadLine{"WSGIDaemonProcess shop script-user=nobody-knows",
                "WSGIDaemonProcess shop: script-user=: there is no user nobody-knows"},
        BadLine{"WSGIDaemonProcess shop socket-user=nobody-knows",
                "WSGIDaemonProcess shop: socket-user=: there is no user nobody-knows"},
        BadLine{"WSGIDaemonProcess shop chroot=/etc/apt", "cannot be run below chroot=/etc/apt"},
        BadLine{"WSGIDaemonProcess shop\nWSGISocketPrefix /nowhere/at/all",
                "WSGISocketPrefix: the socket /nowhere/at/all"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi process-group=shop",
                "WSGIScriptAlias /x /srv/x.wsgi process-group=shop: there is no process group"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=shop application-group=x",
                "there is no process group 'shop'"},
        BadLine{kOtherHosts, "belongs to the virtual host 'a.test' and this one is 'b.test'"}));

// --- Names of process groups that nobody defines ---

struct Routing {
  const char* name;
  const char* config;
  const char* culprit;  // the name that a request can get to; nullptr when none can
};

std::ostream& operator<<(std::ostream& out, const Routing& routing) {
  return out << routing.name;
}

class UnknownGroup : public testing::TestWithParam<Routing> {};

// "wrong" and "typo" are defined nowhere.
TEST_P(UnknownGroup, IsAnErrorWhereARequestCanGetThere) {
  const Routing& routing = GetParam();
  const ConfigCheck check =
      check_config(std::string("WSGIDaemonProcess good\n") + routing.config + "\n");
  EXPECT_EQ(check.ok(), routing.culprit == nullptr) << check.output;
  if (routing.culprit == nullptr) {
    EXPECT_THAT(check.output, AllOf(HasSubstr("PH0363: "), Not(HasSubstr("PH0355"))));
  } else {
    EXPECT_THAT(check.output,
                AllOf(HasSubstr("PH0355: "), HasSubstr(std::string("there is no process group '") +
                                                       routing.culprit + "'")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    By, UnknownGroup,
    testing::Values(
        Routing{"NoAlias", "WSGIProcessGroup wrong", nullptr},
        Routing{"AnAliasOfItsOwn", "WSGIScriptAlias / /srv/x.wsgi process-group=wrong", "wrong"},
        Routing{"AnAliasBehindAnother",
                "WSGIScriptAlias / /srv/x.wsgi\n"
                "WSGIScriptAlias /x /srv/x.wsgi process-group=wrong",
                nullptr},
        Routing{"AnAliasWithoutAGroup", "WSGIProcessGroup wrong\nWSGIScriptAlias / /srv/x.wsgi",
                "wrong"},
        Routing{"AnAliasThatOverridesIt",
                "WSGIProcessGroup wrong\nWSGIScriptAlias / /srv/x.wsgi process-group=good",
                nullptr},
        Routing{"ASectionThatOverridesIt",
                "WSGIProcessGroup wrong\nWSGIScriptAlias /x /srv/x.wsgi\n"
                "<Location /x>\nWSGIProcessGroup good\n</Location>",
                nullptr},
        Routing{"AFolderThatOverridesIt",
                "WSGIProcessGroup wrong\nWSGIScriptAlias /x /srv/x.wsgi\n"
                "<Directory /srv>\nWSGIProcessGroup good\n</Directory>",
                nullptr},
        Routing{"ASectionForOtherUrls",
                "WSGIProcessGroup wrong\nWSGIScriptAlias /x /srv/x.wsgi\n"
                "<Location /y>\nWSGIProcessGroup good\n</Location>",
                "wrong"},
        Routing{"ASectionForSomeOfTheUrls",
                "WSGIProcessGroup wrong\nWSGIScriptAlias /x /srv/x.wsgi\n"
                "<Location /x/y>\nWSGIProcessGroup good\n</Location>",
                "wrong"},
        Routing{"ASectionWithTheName",
                "WSGIScriptAlias / /srv/x.wsgi\n"
                "<Location /x>\nWSGIProcessGroup typo\n</Location>",
                "typo"},
        Routing{"AFolderBelowAnAliasOfFolders",
                "WSGIScriptAlias / /srv/apps/\n"
                "<Directory /srv/apps/x>\nWSGIProcessGroup typo\n</Directory>",
                "typo"},
        Routing{"ASectionWhereAllAliasesHaveGroups",
                "WSGIScriptAlias / /srv/x.wsgi process-group=good\n"
                "<Location /x>\nWSGIProcessGroup typo\n</Location>",
                nullptr},
        Routing{"ASectionElsewhere",
                "WSGIScriptAlias /x /srv/x.wsgi\n"
                "<Directory /usr/share/x>\nWSGIProcessGroup typo\n</Directory>",
                nullptr},
        Routing{"ALaterSectionThatOverridesIt",
                "WSGIScriptAlias /x /srv/x.wsgi\n"
                "<Directory /srv>\nWSGIProcessGroup typo\n</Directory>\n"
                "<Location /x>\nWSGIProcessGroup good\n</Location>",
                nullptr},
        Routing{"AnEarlierSectionThatIsOverridden",
                "WSGIScriptAlias /x /srv/x.wsgi\n"
                "<Directory /srv>\nWSGIProcessGroup good\n</Directory>\n"
                "<Location /x>\nWSGIProcessGroup typo\n</Location>",
                "typo"},
        Routing{"AConditionThatMayOverrideIt",
                "WSGIProcessGroup wrong\nWSGIScriptAlias /x /srv/x.wsgi\n"
                "<Files x.wsgi>\nWSGIProcessGroup good\n</Files>",
                nullptr},
        Routing{"AHandlerInTheSameSection",
                "<Location /x>\nSetHandler wsgi-script\nWSGIProcessGroup typo\n</Location>",
                "typo"},
        Routing{"AHandlerForAFileType",
                "<Directory /srv/www>\nAddHandler wsgi-script .py\nWSGIProcessGroup typo\n"
                "</Directory>",
                "typo"},
        Routing{"AVirtualHostThatInheritsIt",
                "WSGIProcessGroup wrong\n<VirtualHost *:1>\nServerName a\n"
                "WSGIScriptAlias / /srv/x.wsgi\n</VirtualHost>",
                "wrong"},
        Routing{"AVirtualHostWithAnother",
                "WSGIProcessGroup wrong\n<VirtualHost *:1>\nServerName a\n"
                "WSGIProcessGroup good\nWSGIScriptAlias / /srv/x.wsgi\n</VirtualHost>",
                nullptr},
        Routing{"AMainServerThatGetsNoRequests",
                "WSGIScriptAlias /x /srv/x.wsgi process-group=wrong\n"
                "<VirtualHost *:*>\nServerName a\n"
                "WSGIScriptAlias / /srv/x.wsgi process-group=good\n</VirtualHost>",
                nullptr}),
    [](const auto& info) { return info.param.name; });

TEST(UnknownGroup, IsNamedWithItsPlaceAndTheNearestName) {
  const ConfigCheck check = check_config(R"(
    WSGIDaemonProcess wimslti threads=2
    WSGIScriptAlias /wims-lti /srv/x.wsgi process-group=wimslti
    <Location /wims-lti>
      WSGIProcessGroup wims-lti
    </Location>)");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output,
              ContainsRegex("PH0363: WSGIProcessGroup: there is no process group 'wims-lti' \\(the "
                            "nearest name is 'wimslti'\\); .* \\(.*/httpd\\.conf:[0-9]+\\)"));
}

TEST(UnknownGroup, KeepsNobodyElseFromBeingServed) {
  Httpd httpd(
      "WSGIDaemonProcess good threads=2\n"
      "WSGIProcessGroup wrong\n"
      "WSGIScriptAlias / ${APPS}/replies.wsgi process-group=good\n");
  httpd.expect_log("PH0363: WSGIProcessGroup: there is no process group 'wrong'");
  EXPECT_EQ(httpd.get("/").status, 200);
}

// --- Where a mistake is ---

class Placed : public testing::TestWithParam<const char*> {};

TEST_P(Placed, MistakeIsNamedWithFileAndLine) {
  const ConfigCheck check = check_config(GetParam());
  EXPECT_FALSE(check.ok());
  EXPECT_THAT(check.output, ContainsRegex("PH0355: .*/httpd\\.conf:[0-9]+"));
}

INSTANTIATE_TEST_SUITE_P(
    Of, Placed,
    testing::Values(
        "WSGIDaemonProcess shop user=nobody-knows", "WSGIDaemonProcess shop group=nobody-knows",
        "WSGIDaemonProcess shop home=/nowhere/at/all",
        "WSGIDaemonProcess shop python-home=/nowhere/at/all",
        "WSGIDaemonProcess shop env-file=/nowhere/at/all",
        "WSGIDaemonProcess shop script-group=nobody-knows",
        "WSGIDaemonProcess shop\nWSGIDaemonProcess shop",
        "WSGIDaemonProcess shop\nWSGISocketPrefix /nowhere/at/all",
        "WSGIPythonHome /nowhere/at/all", "WSGIScriptAlias / /srv/x.wsgi process-group=shop",
        "WSGIImportScript /srv/x.wsgi process-group=shop application-group=x", kOtherHosts));

// --- A start that fails ---

class FailingStart : public testing::TestWithParam<const char*> {};

// httpd leaves the terminal before it is up: what it finds later nobody sees.
TEST_P(FailingStart, SaysSoOnTheTerminalAsTheCheckDoes) {
  const TempDir folder;
  const std::string closed = folder.path() + "/closed";
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
  const std::string config = fmt::format(fmt::runtime(GetParam()), closed);
  for (const auto& run : {check_config, start_detached}) {
    const ConfigCheck check = run(config, {});
    EXPECT_EQ(check.exit_code, 1) << check.output;
    EXPECT_THAT(check.output, ContainsRegex("PH0355: .*\\(.*/httpd\\.conf:[0-9]+\\)"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    For, FailingStart,
    testing::Values(
        "WSGIDaemonProcess g home={}", "WSGIDaemonProcess g user=nobody-knows env=A={}",
        "WSGIDaemonProcess g socket-user=nobody-knows env=A={}", "WSGIDaemonProcess g chroot={}",
        "WSGIDaemonProcess g\nWSGISocketPrefix {}/missing/wsgi",
        "WSGIDaemonProcess g\n"
        "WSGISocketPrefix {}/a-name-that-is-much-too-long-for-a-socket-of-the-unix-domain-"
        "whose-path-may-have-no-more-than-one-hundred-and-seven-bytes",
        "WSGIDaemonProcess g virtual-memory-limit=1 python-home={}"));

TEST(Start, NamesTheModuleAndItsPython) {
  const Httpd httpd("");
  EXPECT_THAT(httpd.log(), ContainsRegex("AH00489: .* mod_pyhost/[0-9.]+ Python/3\\.[0-9]+ "));
  EXPECT_THAT(httpd.get("/").header("server").value_or(""), HasSubstr("mod_pyhost/"));
}

TEST(Start, IsSilentWhenItSucceeds) {
  const ConfigCheck check = start_detached("WSGIDaemonProcess g threads=1\n");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_EQ(check.output, "");
}

// --- What has no effect ---

TEST(Inert, DirectivesOfModWsgiAreAcceptedWithANotice) {
  const ConfigCheck check = check_config(R"(
    WSGIVerboseDebugging On
    WSGIServerMetrics On
    WSGISlowRequests 2.5
    WSGITelemetryService unix:/run/telemetry.sock interval=5
    WSGITelemetryOptions +CaptureUserAgent
    WSGIFreeThreading On
    WSGIPerInterpreterGIL On
    WSGISocketRotation On
    WSGIAcceptMutex flock
    WSGIPythonEggs /var/cache/eggs
    <Location /x>
      WSGIIgnoreActivity On
      WSGIPassApacheRequest On
    </Location>
    WSGIScriptAlias x /srv/x.wsgi)");
  EXPECT_TRUE(check.ok()) << check.output;
  for (const char* name :
       {"WSGIVerboseDebugging", "WSGIServerMetrics", "WSGISlowRequests", "WSGITelemetryService",
        "WSGITelemetryOptions", "WSGIFreeThreading", "WSGIPerInterpreterGIL", "WSGISocketRotation",
        "WSGIAcceptMutex", "WSGIIgnoreActivity", "WSGIPassApacheRequest",
        "WSGIScriptAlias x /srv/x.wsgi"}) {
    EXPECT_THAT(check.output, ContainsRegex(std::string("PH0354: ") + name +
                                            " has no effect: .*/httpd\\.conf:[0-9]+"));
  }
  EXPECT_THAT(check.output, Not(HasSubstr("PH0354: WSGIPythonEggs")));
}

TEST(Inert, DirectivesThatAreOffAreNotWorthANotice) {
  const ConfigCheck check = check_config(
      "WSGIVerboseDebugging Off\nWSGIServerMetrics off\nWSGISocketRotation Off\n"
      "<Location />\nWSGIIgnoreActivity Off\n</Location>");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output, Not(HasSubstr("PH0354")));
}

TEST(Inert, DirectiveInHtaccessIsAcceptedForEachRequest) {
  Httpd httpd(
      "WSGIScriptAlias / ${APPS}/replies.wsgi\n"
      "<Directory ${APPS}>\nAllowOverride FileInfo\n</Directory>\n",
      {.files = {{"apps/.htaccess", "WSGIIgnoreActivity On\n"}}});
  EXPECT_EQ(httpd.get("/").status, 200);
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST(Locale, ThatIsNotInstalledIsAWarning) {
  const ConfigCheck check =
      check_config("WSGIDaemonProcess shop lang=xx_YY.nowhere locale=xx_YY.nowhere");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(
      check.output,
      ContainsRegex("PH0079: WSGIDaemonProcess shop: locale=xx_YY.nowhere: .*\\(.*:[0-9]+"));
  EXPECT_THAT(check.output, Not(HasSubstr("lang=")));
}

// --- Imports before there are requests ---

TEST(ImportScript, TakesTheInterpretersThatRequestsWillHave) {
  const std::string script = "${APPS}/replies.wsgi";
  Httpd httpd(
      "WSGIDaemonProcess shop threads=2\n"
      "WSGIProcessGroup shop\n"
      "WSGIApplicationGroup %{RESOURCE}\n"
      "WSGIScriptAlias /a/ " +
      script +
      "\n"
      "WSGIScriptAlias /b " +
      script +
      "\n"
      "WSGIImportScript " +
      script +
      " process-group=shop application-group=%{RESOURCE}\n"
      "WSGIImportScript " +
      script +
      " process-group=shop application-group=%{SERVER}\n"
      "<Location /b/server>\nWSGIApplicationGroup %{SERVER}\n</Location>\n");
  const std::string server = fmt::format("localhost:{}", httpd.port());
  const auto imports = [&] { return count(httpd.log(), "PH0308"); };
  for (const std::string& group : {server + "|/a", server + "|/b", server}) {
    httpd.wait_for_log("replies.wsgi in sub-interpreter '" + group + "'");
  }
  EXPECT_EQ(imports(), 3u);
  for (const char* path : {"/a/repeated", "/b/repeated", "/b/server"}) {
    EXPECT_NE(httpd.get(path).status, 0) << path;
  }
  EXPECT_EQ(imports(), 3u) << httpd.log();
}

TEST(ImportScript, LeavesToTheFirstRequestWhatOnlyThatKnows) {
  const ConfigCheck check = check_config(
      "WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL} application-group=%{ENV:GROUP}");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output, ContainsRegex("PH0354: WSGIImportScript .* has no effect: .*:[0-9]+"));
}

TEST(Directives, AreAcceptedInEveryPlaceTheyMayStand) {
  const ConfigCheck check = check_config(R"(
    WSGIScriptAlias /x /srv/x.wsgi application-group="two words" pass-authorization=on
    WSGIScriptAliasMatch ^/y/(.*) /srv/$1.wsgi
    WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL} application-group=%{GLOBAL}
    WSGIPythonPath /srv:/opt:
    WSGIPythonOptimize 3
    WSGIPythonWarnings ignore::DeprecationWarning
    WSGIPythonHashSeed random
    WSGISwitchInterval 0.005
    WSGIInterpreterLimit 0
    WSGISocketPrefix htdocs/wsgi
    WSGISocketRotation Off
    WSGIAcceptMutex SYSVSEM
    WSGIDaemonProcess shop threads=+5 graceful-timeout=500ms memory-limit=512M umask=1777 \
      cpu-priority=20 switch-interval=5e-3 python-path='' locale='' python-eggs=eggs
    WSGIImportScript /srv/x.wsgi process-group=shop application-group=x
    WSGIImportScript /srv/x.wsgi process-group=shop application-group=%{SERVER}
    WSGIImportScript /srv/x.wsgi process-group=shop application-group=%{RESOURCE}
    WSGIImportScript /srv/x.wsgi process-group=shop application-group=%{ENV:GROUP}
    WSGIRestrictProcess shop %{GLOBAL} ""
    <VirtualHost *:1>
      WSGIDaemonProcess blog display-name="%{GROUP} of mine"
      WSGIProcessGroup blog
      WSGIScriptAlias /b /srv/b.wsgi process-group=shop application-group=x
      WSGIScriptAlias /z shop.api:app
      WSGIApplicationGroup %{ENV:GROUP}
      <Location /z>
        WSGIProcessGroup %{GLOBAL}
        WSGICallableObject app
      </Location>
    </VirtualHost>
    <IfModule !mod_wsgi.c>
      Error "the module has another name"
    </IfModule>
    <IfModule !wsgi_module>
      Error "the module has another symbol"
    </IfModule>
  )");
  EXPECT_TRUE(check.ok()) << check.output;
}

// The text of a file in conf/, with the directives that stand behind a # in force. WSGIPythonHome
// and WSGISocketPrefix name folders that exist only in the example.
std::string enabled(const std::string& name) {
  std::ifstream file(std::string(TEST_CONF_FOLDER) + "/" + name);
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#WSGIPythonHome") || line.starts_with("#WSGISocketPrefix")) continue;
    text += line.starts_with("#WSGI") ? line.substr(1) : line;
    text += '\n';
  }
  return text;
}

TEST(ConfFile, IsAcceptedWithEverythingInForce) {
  for (const char* name : {"pyhost.conf", "reference.conf"}) {
    const std::string config = enabled(name);
    EXPECT_THAT(config, HasSubstr("\nWSGIInterpreterLimit 64\n")) << name;
    const ConfigCheck check = check_config(config);
    EXPECT_TRUE(check.ok()) << name << ": " << check.output;
  }
}

TEST(Dump, ShowsTheEffectiveSettingsOfEveryServer) {
  const ConfigCheck check = check_config(R"(
    Define DUMP_PYHOST
    WSGIPythonOptimize 1
    WSGIApplicationGroup outer
    <VirtualHost *:1>
      ServerName inner
      WSGIScriptAlias /z shop.api:app application-group=%{GLOBAL}
      WSGIScriptReloading Off
    </VirtualHost>)");
  EXPECT_TRUE(check.ok()) << check.output;
  const auto inner = check.output.find("virtual host inner (");
  ASSERT_NE(inner, check.output.npos) << check.output;
  EXPECT_THAT(check.output.substr(0, inner), HasSubstr("WSGIPythonOptimize 1\n"));
  EXPECT_THAT(check.output.substr(0, inner), HasSubstr("WSGIScriptReloading On\n"));
  EXPECT_THAT(
      check.output.substr(inner),
      AllOf(HasSubstr("WSGIApplicationGroup outer\n"), HasSubstr("WSGIScriptReloading Off\n"),
            HasSubstr("WSGIScriptAlias /z shop.api:app application-group=%{GLOBAL}\n")));
}

TEST(ThreadStackSize, IsRaisedToWhatPythonNeeds) {
  const Httpd httpd("ThreadStackSize 1048576");
  EXPECT_THAT(httpd.log(), HasSubstr("PH0353: Python needs threads with a stack of 8388608 bytes"));
}

TEST(ThreadStackSize, IsLeftAloneWithoutPython) {
  const Httpd httpd("ThreadStackSize 1048576\nWSGIRestrictEmbedded On");
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0353")));
}

}  // namespace
}  // namespace pyhost::test

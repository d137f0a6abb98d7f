// What httpd -t says about the directives.

#include <gmock/gmock.h>

#include <fstream>

#include "harness/httpd.h"

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
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi pass-authorization=1", "give On, Off or Auto"},
        BadLine{"WSGIScriptAliasMatch ^/( /srv/x.wsgi", "'^/(' is not a regular expression"},
        BadLine{"WSGIScriptAliasMatch ^/(.*) $1:app", "lets the client choose a module"},
        BadLine{"WSGIImportScript /srv/x.wsgi", "WSGIImportScript needs process-group=%{GLOBAL}"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL}",
                "WSGIImportScript needs application-group=name"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{HOST} application-group=a",
                "only known once there is a request"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL} application-group=a "
                "callable-object=b",
                "only knows process-group= and application-group="},
        BadLine{"WSGIHandlerScript x",
                "WSGIHandlerScript takes the name of a handler and a script"},
        BadLine{"WSGIHandlerScript \"\" /srv/x.py", "takes the name of a handler and a script"},
        BadLine{"WSGIHandlerScript wsgi-script /srv/x.py",
                "'wsgi-script' is the handler of script"},
        BadLine{"WSGIHandlerScript x /srv/x.py callable-object=app",
                "the callable is handle_request"},
        BadLine{"WSGIHandlerScript x /srv/x.py threads=5", "unknown option 'threads'"},
        BadLine{"WSGITrustedProxies", "WSGITrustedProxies: '' is not accepted; give addresses"},
        BadLine{"WSGITrustedProxies ::1 proxy.example", "'proxy.example' is not accepted"},
        BadLine{"WSGITrustedProxyHeaders X_Bad",
                "'X_Bad' is not accepted; give names of headers"}));

INSTANTIATE_TEST_SUITE_P(
    InterpreterSections, BadDirective,
    testing::Values(
        BadLine{"<WSGIInterpreterOptions shop>\n</WSGIInterpreterOptions>",
                "<WSGIInterpreterOptions: 'shop' is not an option=value"},
        BadLine{"<WSGIInterpreterOptions threads=5>\n</WSGIInterpreterOptions>",
                "unknown option 'threads'; known are process-group= and application-group="},
        BadLine{"<WSGIInterpreterOptions process-group=a Process-Group=b>\n"
                "</WSGIInterpreterOptions>",
                "Process-Group= is given twice"},
        BadLine{"<WSGIInterpreterOptions process-group=a\nWSGIPythonPath "
                "/srv\n</WSGIInterpreterOptions>",
                "<WSGIInterpreterOptions has no >"},
        BadLine{"<WSGIInterpreterOptions>\nWSGIPythonPath lib\n</WSGIInterpreterOptions>",
                "WSGIPythonPath: 'lib' is not accepted"},
        BadLine{"<WSGIInterpreterOptions>\nWSGIPythonOptimize 1\n</WSGIInterpreterOptions>",
                "WSGIPythonOptimize cannot stand in <WSGIInterpreterOptions>"},
        BadLine{"<WSGIInterpreterOptions>\nWSGIProcessGroup %{GLOBAL}\n</WSGIInterpreterOptions>",
                "WSGIProcessGroup cannot stand in <WSGIInterpreterOptions>"},
        BadLine{"<VirtualHost *:1>\n<WSGIInterpreterOptions>\n</WSGIInterpreterOptions>\n"
                "</VirtualHost>",
                "<WSGIInterpreterOptions> cannot occur within <VirtualHost> section"},
        BadLine{"<Directory />\n<WSGIInterpreterOptions>\n</WSGIInterpreterOptions>\n</Directory>",
                "<WSGIInterpreterOptions not allowed"}));

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
        BadLine{"WSGIDaemonProcess shop\nWSGIDaemonProcess shop threads=2",
                "WSGIDaemonProcess shop: threads=: the name is taken"},
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
        BadLine{"WSGIDaemonProcess shop python=3", "python=3 is not accepted"},
        BadLine{"WSGIDaemonProcess shop python=2.7",
                "WSGIDaemonProcess shop: python=: 2.7: plugins are there for "
                "Python " TEST_PYTHON_VERSION
                "; `pyhost build-plugin /path/to/python2.7` builds one"},
        BadLine{"WSGIDaemonProcess shop env-file=/nowhere/at/all", "/nowhere/at/all"},
        BadLine{"WSGIDaemonProcess shop script-user=nobody-knows",
                "WSGIDaemonProcess shop: script-user=: there is no user nobody-knows"},
        BadLine{"WSGIDaemonProcess shop socket-user=nobody-knows",
                "WSGIDaemonProcess shop: socket-user=: there is no user nobody-knows"},
        BadLine{"WSGIDaemonProcess shop chroot=/etc/apt", "cannot be run below chroot=/etc/apt"},
        BadLine{"WSGIDaemonProcess shop\nWSGISocketPrefix /nowhere/at/all",
                "WSGISocketPrefix: the socket /nowhere/at/all"},
        BadLine{"WSGIMonitorGroup nobody-knows",
                "WSGIMonitorGroup: there is no group nobody-knows on this system"},
        BadLine{"WSGIScriptAlias /x /srv/x.wsgi process-group=shop",
                "WSGIScriptAlias /x /srv/x.wsgi process-group=shop: there is no process group"},
        BadLine{"WSGIImportScript /srv/x.wsgi process-group=shop application-group=x",
                "there is no process group 'shop'"},
        BadLine{kOtherHosts, "belongs to the virtual host 'a.test' and this one is 'b.test'"}));

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
        "WSGIDaemonProcess shop env-file=/nowhere/at/all", "WSGIDaemonProcess shop python=2.7",
        "WSGIDaemonProcess shop script-group=nobody-knows",
        "WSGIDaemonProcess shop\nWSGIDaemonProcess shop threads=2",
        "WSGIDaemonProcess shop\nWSGISocketPrefix /nowhere/at/all",
        "WSGIPythonHome /nowhere/at/all", "WSGIMonitorGroup nobody-knows",
        "WSGIScriptAlias / /srv/x.wsgi process-group=shop",
        "WSGIImportScript /srv/x.wsgi process-group=shop application-group=x", kOtherHosts));

// --- What has no effect ---

TEST(Inert, DirectivesOfModWsgiAreAcceptedWithANotice) {
  const ConfigCheck check = check_config(R"(
    WSGIVerboseDebugging On
    WSGITelemetryService unix:/run/telemetry.sock interval=5
    WSGITelemetryOptions +CaptureUserAgent
    WSGIFreeThreading On
    WSGISocketRotation On
    WSGIAcceptMutex flock
    WSGILazyInitialization On
    WSGINewRelicConfigFile /etc/newrelic.ini
    WSGINewRelicEnvironment staging
    WSGIPythonEggs /var/cache/eggs
    WSGIScriptAlias x /srv/x.wsgi)");
  EXPECT_TRUE(check.ok()) << check.output;
  for (const char* name :
       {"WSGIVerboseDebugging", "WSGITelemetryService", "WSGITelemetryOptions",
        "WSGISocketRotation", "WSGIAcceptMutex", "WSGILazyInitialization", "WSGINewRelicConfigFile",
        "WSGINewRelicEnvironment", "WSGIScriptAlias x /srv/x.wsgi"}) {
    EXPECT_THAT(check.output, ContainsRegex(std::string("PH0354: ") + name +
                                            " has no effect: .*/httpd\\.conf:[0-9]+"));
  }
  EXPECT_THAT(check.output, Not(HasSubstr("PH0354: WSGIPythonEggs")));
  EXPECT_THAT(check.output, ContainsRegex("PH0200: WSGIFreeThreading has no effect: .*:[0-9]+"));
}

TEST(Inert, OptionsOfModWsgiAreAcceptedWithANotice) {
  const ConfigCheck on = check_config("WSGIDaemonProcess shop server-metrics=On");
  EXPECT_TRUE(on.ok()) << on.output;
  EXPECT_THAT(on.output, ContainsRegex("PH0354: WSGIDaemonProcess shop: server-metrics= has no "
                                       "effect: .*/httpd\\.conf:[0-9]+"));
  for (const char* option :
       {"newrelic-config-file=/etc/newrelic.ini", "newrelic-environment=live"}) {
    const ConfigCheck check = check_config(std::string("WSGIDaemonProcess shop ") + option);
    EXPECT_TRUE(check.ok()) << check.output;
    EXPECT_THAT(check.output, ContainsRegex("PH0354: WSGIDaemonProcess shop: newrelic-.*= has no "
                                            "effect: no agent is started; env=NEW_RELIC_"));
  }
  const ConfigCheck off = check_config("WSGIDaemonProcess shop server-metrics=Off");
  EXPECT_THAT(off.output, Not(HasSubstr("PH0354")));
}

// CPython has them from 3.12 on.
TEST(Inert, LocksOfTheirOwnAreMissedOnlyWhereNoPythonHasThem) {
  const bool have = std::stoi(std::string(TEST_PYTHON_VERSION).substr(2)) >= 12;
  const ConfigCheck check = check_config(
      "WSGIPerInterpreterGIL On\n"
      "WSGIDaemonProcess shop per-interpreter-gil=On\n"
      "<WSGIInterpreterOptions application-group=one>\n  WSGIPerInterpreterGIL On\n"
      "</WSGIInterpreterOptions>\n");
  EXPECT_TRUE(check.ok()) << check.output;
  for (const char* what :
       {"WSGIPerInterpreterGIL", "WSGIDaemonProcess shop: per-interpreter-gil="}) {
    const auto notice = ContainsRegex(std::string("PH0198: ") + what + " has no effect: .*:[0-9]+");
    if (have) {
      EXPECT_THAT(check.output, Not(notice));
    } else {
      EXPECT_THAT(check.output, notice);
    }
  }
}

TEST(Inert, DirectivesThatAreOffAreNotWorthANotice) {
  const ConfigCheck check = check_config(
      "WSGIVerboseDebugging Off\nWSGISocketRotation Off\n"
      "WSGIPerInterpreterGIL Off\n");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output, Not(HasSubstr("has no effect")));
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

TEST(Dump, ShowsTheSectionsOfInterpreters) {
  const ConfigCheck check = check_config(R"(
    Define DUMP_PYHOST
    <WSGIInterpreterOptions process-group="shop" application-group=%{GLOBAL}>
      WSGIPythonPath /srv/lib
      WSGIRestrictSignal Off
      WSGISwitchInterval 0.1
    </WSGIInterpreterOptions>)");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_THAT(check.output,
              HasSubstr("<WSGIInterpreterOptions process-group=shop application-group=%{GLOBAL}>\n"
                        "WSGIPythonPath /srv/lib\nWSGISwitchInterval 0.1\n"
                        "WSGIRestrictSignal Off\n</WSGIInterpreterOptions>\n"));
  EXPECT_THAT(check.output, ContainsRegex("PH0199: WSGISwitchInterval in .*httpd\\.conf:[0-9]+"));
  EXPECT_THAT(check.output, Not(HasSubstr("\nWSGIPythonPath /srv/lib\n\n")));
}

TEST(ThreadStackSize, IsRaisedToWhatPythonNeeds) {
  const Httpd httpd("ThreadStackSize 1048576");
  EXPECT_THAT(httpd.log(), HasSubstr("PH0353: ThreadStackSize is raised from "));
}

TEST(ThreadStackSize, IsLeftAloneWithoutPython) {
  const Httpd httpd("ThreadStackSize 1048576\nWSGIRestrictEmbedded On");
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0353")));
}

}  // namespace
}  // namespace pyhost::test

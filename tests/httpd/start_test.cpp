// Whether httpd starts, what it says if not, and what is there when it has.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "harness/detached_start.h"
#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

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

// --- A process group that is defined more than once ---

// What certbot makes of a virtual host: a copy of it for another port.
constexpr char kHostWithGroup[] =
    "<VirtualHost *:{}>\n"
    "  ServerName shop.test\n"
    "  WSGIDaemonProcess shop threads={} display-name=%{{GROUP}}\n"
    "  WSGIScriptAlias / ${{APPS}}/process.wsgi process-group=shop\n"
    "</VirtualHost>\n";

TEST(RepeatedGroup, IsTheSameOne) {
  const auto host = [](std::string_view port) { return fmt::format(kHostWithGroup, port, 3); };
  const Httpd httpd(host("*") + host("1") +
                    "<VirtualHost *:*>\n  ServerName other.test\n"
                    "  WSGIDaemonProcess shop display-name=%{GROUP} threads=3\n"
                    "  WSGIScriptAlias / ${APPS}/process.wsgi process-group=shop\n"
                    "</VirtualHost>\n");
  for (const char* name : {"shop.test", "other.test"}) {
    EXPECT_EQ(httpd.request({.headers = {{"Host", name}}}).status, 200) << name;
  }
  EXPECT_EQ(httpd.running("pyhost-worker").size(), 1u);
}

TEST(RepeatedGroup, WithOtherOptionsIsRefusedWithBothPlacesAndTheOption) {
  const ConfigCheck check =
      check_config("WSGIDaemonProcess shop threads=3\nWSGIDaemonProcess shop threads=4 home=/\n");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(
      check.output,
      ContainsRegex("PH0355: WSGIDaemonProcess shop: home=: the name is taken by the one at "
                    ".*/httpd\\.conf:[0-9]+, which has no home=, and this one home=/; give "
                    "both .* \\(.*/httpd\\.conf:[0-9]+\\)"));
}

TEST(Check, SaysAllThatIsWrongAtOnce) {
  const ConfigCheck check = check_config(
      "WSGIDaemonProcess a user=nobody-knows\nWSGIDaemonProcess b socket-user=nobody-knows\n"
      "WSGIScriptAlias / /srv/x.wsgi process-group=c\nWSGISocketPrefix /missing/wsgi\n");
  EXPECT_EQ(check.exit_code, 1);
  for (const char* culprit : {"WSGIDaemonProcess a: ", "WSGIDaemonProcess b: socket-user=",
                              "there is no process group 'c'", "WSGISocketPrefix: "}) {
    EXPECT_THAT(check.output, HasSubstr(std::string("PH0355: "))) << culprit;
    EXPECT_THAT(check.output, HasSubstr(culprit));
  }
}

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
        "WSGIDaemonProcess g virtual-memory-limit=1 python-home={}",
        "WSGIDaemonProcess g memory-limit=4M env=A={}",
        "WSGIDaemonProcess g processes=4000 threads=60000 env=A={}"));

// A copy of the module and its programs, one of which is of another build.
class MixedInstallation {
 public:
  explicit MixedInstallation(const std::string& program) {
    const std::filesystem::path folder(folder_.path());
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(TEST_MODULE).parent_path())) {
      const std::string name = file.path().filename();
      const bool belongs = name == "mod_pyhost.so" || name.starts_with("pyhost-");
      if (belongs && name != program) std::filesystem::copy(file, folder);
    }
    folder_.write(program, "#!/bin/sh\necho 0.0.1-000000000000\n");
    std::filesystem::permissions(folder / program, std::filesystem::perms(0755));
  }

  std::string load_module() const {
    return "LoadModule wsgi_module " + folder_.path() + "/mod_pyhost.so\n";
  }

 private:
  const TempDir folder_;
};

TEST(FailingStart, NamesTheProgramOfAnotherBuild) {
  for (const char* program : {"pyhost-supervisor", "pyhost-worker"}) {
    const MixedInstallation installation(program);
    for (const auto& run : {check_config, start_detached}) {
      const ConfigCheck check = run(installation.load_module() + "WSGIDaemonProcess g\n",
                                    {.wsgi_module = WsgiModule::absent});
      EXPECT_EQ(check.exit_code, 1) << check.output;
      EXPECT_THAT(check.output, ContainsRegex(fmt::format(
                                    "PH0355: WSGIDaemonProcess g: .*/{} is of build 0\\.0\\.1-"
                                    "000000000000, mod_pyhost of build .*; install both anew "
                                    "\\(.*/httpd\\.conf:[0-9]+\\)",
                                    program)));
    }
  }
}

TEST(FailingStart, NamesThePluginOfAnotherBuild) {
  const MixedInstallation installation("pyhost-cpython-3.77.so");
  for (const auto& run : {check_config, start_detached}) {
    const ConfigCheck check = run(installation.load_module() + "WSGIDaemonProcess g python=3.77\n",
                                  {.wsgi_module = WsgiModule::absent});
    EXPECT_EQ(check.exit_code, 1) << check.output;
    EXPECT_THAT(
        check.output,
        ContainsRegex("PH0355: WSGIDaemonProcess g: python=: .*/pyhost-cpython-3\\.77\\.so is "
                      "of another build than mod_pyhost: install both of one version, or "
                      "build it anew with `pyhost build-plugin /path/to/python3\\.77` "
                      "\\(.*/httpd\\.conf:[0-9]+\\)"));
  }
}

TEST(FailingStart, IsOfThePluginThatTheEnvironmentOfHttpdNeeds) {
  const MixedInstallation installation("pyhost-cpython-3.77.so");
  const TempDir folder;
  folder.write("venv/pyvenv.cfg", "version = 3.77.1\n");
  const ConfigCheck check =
      check_config(installation.load_module() + "WSGIPythonHome " + folder.path() + "/venv\n",
                   {.wsgi_module = WsgiModule::absent});
  EXPECT_EQ(check.exit_code, 1) << check.output;
  EXPECT_THAT(check.output,
              ContainsRegex("PH0355: WSGIPythonHome: .*/pyhost-cpython-3\\.77\\.so is of "
                            "another build than mod_pyhost"));
}

TEST(Start, NamesTheModuleAndItsPython) {
  const Httpd httpd("");
  EXPECT_THAT(httpd.log(),
              HasSubstr(" mod_pyhost/" TEST_VERSION " Python/" TEST_PYTHON_VERSION " "));
  EXPECT_THAT(httpd.get("/").header("server").value_or(""), HasSubstr("mod_pyhost/"));
}

TEST(Start, NamesThePythonThatWSGIPythonHomeNeeds) {
  const MixedInstallation installation("pyhost-cpython-3.77.so");
  const Httpd httpd(installation.load_module() + "WSGIPythonHome /usr\n",
                    {.wsgi_module = WsgiModule::absent});
  EXPECT_THAT(httpd.log(), HasSubstr(" Python/" TEST_PYTHON_VERSION " "));
}

TEST(Start, IsSilentWhenItSucceeds) {
  const ConfigCheck check = start_detached("WSGIDaemonProcess g threads=1\n");
  EXPECT_TRUE(check.ok()) << check.output;
  EXPECT_EQ(check.output, "");
}

// httpd would find that out when it has left the terminal.
TEST(Start, IsRefusedWithoutTheProgramThatStartsWorkers) {
  const TempDir folder;
  const std::filesystem::path module = TEST_MODULE;
  for (const auto& file : std::filesystem::directory_iterator(module.parent_path())) {
    const std::string name = file.path().filename();
    if (name.starts_with("pyhost-cpython-") || name == "pyhost-worker" || file.path() == module) {
      folder.copy(file.path(), "lib");
    }
  }
  const std::string config = "LoadModule wsgi_module " + folder.path() +
                             "/lib/mod_pyhost.so\nWSGIDaemonProcess g threads=1\n";
  for (const auto& run : {check_config, start_detached}) {
    const ConfigCheck check = run(config, {.wsgi_module = WsgiModule::absent});
    EXPECT_EQ(check.exit_code, 1);
    EXPECT_THAT(check.output, ContainsRegex("PH0355: WSGIDaemonProcess g: .*/pyhost-supervisor "
                                            "cannot be run: .*\\(.*/httpd\\.conf:[0-9]+\\)"));
  }
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

}  // namespace
}  // namespace pyhost::test

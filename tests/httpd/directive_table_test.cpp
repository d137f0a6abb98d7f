// Every directive of the table in every place where one may stand.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "harness/httpd.h"
#include "settings/directives.h"

namespace pyhost::test {
namespace {

using settings::Directive;
using settings::Scope;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

// The example of a directive, or what stands for it where that names what is not there.
std::string good_line(const Directive& directive) {
  static const std::map<std::string_view, std::string> lines{
      {"WSGIProcessGroup", "WSGIProcessGroup %{GLOBAL}"},
      {"WSGIImportScript",
       "WSGIImportScript /srv/x.wsgi process-group=%{GLOBAL} application-group=%{GLOBAL}"},
      {"WSGIHandlerScript", "WSGIHandlerScript markdown /srv/markdown.py"},
      {"WSGIPythonHome", "WSGIPythonHome /usr"},
      {"WSGISocketPrefix", "WSGISocketPrefix htdocs/wsgi"},
      {"WSGIMonitorGroup", "WSGIMonitorGroup #0"},
      {"WSGIIgnoreActivity", "WSGIIgnoreActivity On"},
      {"WSGIRestrictEmbedded", "WSGIRestrictEmbedded Off"},  // scripts are asked there
      {"WSGIAccessScript", "WSGIAccessScript /srv/access.py"},
      {"WSGIAuthUserScript", "WSGIAuthUserScript /srv/users.py"},
      {"WSGIAuthGroupScript", "WSGIAuthGroupScript /srv/groups.py"},
      {"WSGICheckAuthn", "WSGICheckAuthn /srv/sso.py"},
      {"WSGIDispatchScript", "WSGIDispatchScript /srv/tenants.py"},
      {"WSGIGroupAuthoritative", "WSGIGroupAuthoritative Off"},
      {"WSGIInterpreterOptions", "<WSGIInterpreterOptions>\n</WSGIInterpreterOptions>"}};
  const auto found = lines.find(directive.name);
  if (found != lines.end()) return found->second;
  const std::string_view example = directive.example;
  return std::string(example.substr(0, example.find('\n')));
}

// A value that the directive must not accept.
std::string bad_value(const Directive& directive) {
  static const std::map<std::string_view, std::string> values{
      {"WSGIInterpreterOptions", ""},
      {"WSGIPythonPath", "relative"},
      {"WSGIMonitorGroup", ""},
      {"WSGIRestrictProcess", "\"two words\""},
      {"WSGIScriptAlias", "/x"},
      {"WSGIScriptAliasMatch", "^/x"},
      {"WSGIImportScript", "/srv/x.wsgi"},
      {"WSGIDaemonProcess", "shop threads=many"},
      {"WSGIPythonOptimize", "many"},
      {"WSGIPythonHashSeed", "many"},
      {"WSGISwitchInterval", "0"},
      {"WSGIInterpreterLimit", "-1"},
      {"WSGISlowRequests", "-1"},
      {"WSGIAcceptMutex", "spinlock"},
      {"WSGITelemetryService", "udp:8125"},
      {"WSGITelemetryOptions", "+Everything"},
      {"WSGITrustedProxies", "proxy.example"},
      {"WSGITrustedProxyHeaders", "X_Bad"}};
  const auto found = values.find(directive.name);
  if (found != values.end()) return found->second;
  const bool flag = std::string_view(directive.accepted).starts_with("On");
  return flag ? "Maybe" : "\"\"";
}

struct Place {
  const char* name;
  const char* begin;
  const char* end;
  bool section;  // for directories, URLs or files
};

void PrintTo(const Place& place, std::ostream* out) {
  *out << place.name;
}

constexpr Place kMainServer{"MainServer", "", "", false};
constexpr Place kLocation{"Location", "<Location /x>\n", "</Location>\n", true};
constexpr Place kVirtualHost{"VirtualHost", "<VirtualHost *:1>\n", "</VirtualHost>\n", false};

bool may_stand(const Directive& directive, const Place& place) {
  switch (directive.scope) {
    case Scope::global:
      return place.begin == kMainServer.begin;
    case Scope::server:
      return !place.section;
    case Scope::authconfig:
      return place.section;
    case Scope::directory:
    case Scope::fileinfo:
      break;
  }
  return true;
}

std::string in_place(const Place& place, const std::string& line) {
  return place.begin + line + "\n" + place.end;
}

class DirectivePlace : public testing::TestWithParam<Place> {};

TEST_P(DirectivePlace, TakesWhatMayStandThere) {
  std::string lines;
  for (const Directive& directive : settings::all_directives()) {
    if (may_stand(directive, GetParam())) lines += good_line(directive) + "\n";
  }
  const ConfigCheck check = check_config(in_place(GetParam(), lines));
  EXPECT_TRUE(check.ok()) << check.output;
}

TEST_P(DirectivePlace, RefusesWhatMayNot) {
  for (const Directive& directive : settings::all_directives()) {
    if (may_stand(directive, GetParam())) continue;
    const ConfigCheck check = check_config(in_place(GetParam(), good_line(directive)));
    EXPECT_FALSE(check.ok()) << directive.name;
    EXPECT_THAT(check.output, AllOf(HasSubstr(directive.name),
                                    AnyOf(HasSubstr("not allowed"), HasSubstr("cannot occur"))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Places, DirectivePlace,
    testing::Values(kMainServer, kVirtualHost,
                    Place{"Directory", "<Directory /srv>\n", "</Directory>\n", true}, kLocation,
                    Place{"LocationMatch", "<LocationMatch ^/x>\n", "</LocationMatch>\n", true},
                    Place{"Files", "<Files x.wsgi>\n", "</Files>\n", true},
                    Place{"If", "<If \"true\">\n", "</If>\n", true},
                    Place{"DirectoryOfVirtualHost", "<VirtualHost *:1>\n<Directory /srv>\n",
                          "</Directory>\n</VirtualHost>\n", true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(DirectiveValue, ThatIsWrongIsRefusedInASentenceThatNamesTheDirective) {
  for (const Directive& directive : settings::all_directives()) {
    const std::string value = bad_value(directive);
    if (value.empty()) continue;
    const std::string line = fmt::format("{} {}", directive.name, value);
    const bool in_section = directive.scope == Scope::authconfig;
    const ConfigCheck check = check_config(in_section ? in_place(kLocation, line) : line);
    EXPECT_FALSE(check.ok()) << directive.name << " " << value;
    EXPECT_THAT(check.output,
                AllOf(HasSubstr(std::string("\n") + directive.name), HasSubstr("httpd.conf:")));
  }
}

// What a tenant may say in a .htaccess file. Each directive has a folder of its own.
class Tenant : public testing::TestWithParam<const char*> {};

TEST_P(Tenant, MaySayWhatAllowOverrideLetsHim) {
  const std::string allowed = GetParam();
  Options options;
  for (const Directive& directive : settings::all_directives()) {
    const std::string folder = std::string("htdocs/") + directive.name;
    options.files.emplace_back(folder + "/.htaccess", good_line(directive) + "\n");
    options.files.emplace_back(folder + "/x.txt", "plain");
  }
  Httpd httpd(
      fmt::format("<Directory ${{ROOT}}/htdocs>\nAllowOverride {}\n</Directory>\n", allowed),
      options);
  for (const Directive& directive : settings::all_directives()) {
    // Whoever may name a script to be asked has one that is not there.
    if (directive.scope == Scope::authconfig && allowed == "AuthConfig") continue;
    const bool read = allowed != "None";
    const bool takes = directive.scope == Scope::fileinfo && allowed == "FileInfo";
    EXPECT_EQ(httpd.get(fmt::format("/{}/x.txt", directive.name)).status,
              read && !takes ? 500 : 200)
        << directive.name;
  }
  if (allowed != "None") httpd.expect_log("not allowed here");
}

INSTANTIATE_TEST_SUITE_P(Overrides, Tenant,
                         testing::Values("None", "FileInfo", "AuthConfig", "Indexes Limit"));

}  // namespace
}  // namespace pyhost::test

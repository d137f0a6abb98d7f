#include "settings/directives.h"

#include <gmock/gmock.h>

#include <memory_resource>
#include <set>
#include <type_traits>

namespace pyhost::gateway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const settings::Directive& directive(std::string_view name) {
  for (const settings::Directive& candidate : settings::all_directives()) {
    if (name == candidate.name) return candidate;
  }
  ADD_FAILURE() << "no directive " << name;
  return settings::all_directives().front();
}

// Settings have their memory to the end of the tests, as those of a configuration to its end.
std::pmr::monotonic_buffer_resource memory;

template <class Record>
base::Result<> assign(const settings::Directive& directive, Record& record,
                      std::string_view value) {
  return settings::assign(directive, record, value, memory);
}

template <class Record>
void expect_refused(std::string_view name, std::string_view value) {
  Record record;
  const auto assigned = assign(directive(name), record, value);
  ASSERT_FALSE(assigned) << name << " accepts '" << value << "'";
  EXPECT_THAT(assigned.error().sentence,
              AllOf(HasSubstr(name), HasSubstr("'" + std::string(value) + "'"),
                    HasSubstr(directive(name).accepted)));
  EXPECT_EQ(show(record), "");
}

template <class Record>
void expect_shown(std::string_view name, std::string_view value, std::string_view shown) {
  Record record;
  const auto assigned = assign(directive(name), record, value);
  ASSERT_TRUE(assigned) << assigned.error().sentence;
  EXPECT_EQ(show(record), std::string(name) + " " + std::string(shown) + "\n");
}

TEST(DirectiveTable, NamesEachDirectiveOnce) {
  std::set<std::string_view> names;
  for (const settings::Directive& each : settings::all_directives()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
  }
}

TEST(DirectiveTable, DescribesEveryDirective) {
  for (const settings::Directive& each : settings::all_directives()) {
    EXPECT_TRUE(std::string_view(each.name).starts_with("WSGI")) << each.name;
    EXPECT_TRUE(std::string_view(each.description).ends_with('.')) << each.name;
    const std::string name = written_name(each);
    EXPECT_TRUE(std::string_view(each.example).find(name.substr(0, name.find('>'))) !=
                std::string_view::npos)
        << each.name;
    EXPECT_FALSE(std::string_view(each.syntax).empty()) << each.name;
    EXPECT_FALSE(std::string_view(each.accepted).empty()) << each.name;
  }
}

TEST(DirectiveTable, AcceptsItsOwnDefaults) {
  const std::string shown = show(settings::process_defaults()) + show(settings::kRequestDefaults);
  for (std::size_t start = 0; start < shown.size();) {
    const auto end = shown.find('\n', start);
    const std::string_view line = std::string_view(shown).substr(start, end - start);
    const auto blank = line.find(' ');
    const settings::Directive& named = directive(line.substr(0, blank));
    if (std::holds_alternative<settings::Setting<settings::ProcessSettings>>(named.meaning)) {
      settings::ProcessSettings record;
      EXPECT_TRUE(assign(named, record, line.substr(blank + 1))) << line;
    } else {
      settings::RequestSettings record;
      EXPECT_TRUE(assign(named, record, line.substr(blank + 1))) << line;
    }
    start = end + 1;
  }
}

TEST(RequestSettings, AreCopiedAsPlainBytesForEachRequest) {
  EXPECT_TRUE(std::is_trivially_copyable_v<settings::RequestSettings>);
}

TEST(RequestSettings, HaveADefaultForEveryMemberButSome) {
  std::vector<std::string_view> without;
  for (const settings::Directive& each : settings::all_directives()) {
    const auto* setting = std::get_if<settings::Setting<settings::RequestSettings>>(&each.meaning);
    if (setting == nullptr || setting->show(settings::kRequestDefaults, each) != "") continue;
    without.push_back(each.name);
  }
  EXPECT_THAT(without,
              testing::ElementsAre("WSGIRestrictProcess", "WSGIApplicationGroup", "WSGIInterface",
                                   "WSGITrustedProxies", "WSGITrustedProxyHeaders"));
}

TEST(Flag, IsOnOrOffInAnyLetterCase) {
  expect_shown<settings::RequestSettings>("WSGIScriptReloading", "on", "On");
  expect_shown<settings::RequestSettings>("WSGIScriptReloading", "OFF", "Off");
  expect_shown<settings::ProcessSettings>("WSGIRestrictStdin", "On", "On");
}

TEST(Flag, RefusesOtherWords) {
  for (const auto* word : {"", "yes", "1", "true", "Auto", "On "}) {
    expect_refused<settings::RequestSettings>("WSGIScriptReloading", word);
  }
}

TEST(Number, IsDecimalDigitsWithinItsRange) {
  expect_shown<settings::ProcessSettings>("WSGIPythonOptimize", "2", "2");
  expect_shown<settings::ProcessSettings>("WSGIInterpreterLimit", "0", "0");
  for (const auto* word : {"", "-1", "1x", "abc", "0x1", "1.0"}) {
    expect_refused<settings::ProcessSettings>("WSGIPythonOptimize", word);
  }
  expect_refused<settings::ProcessSettings>("WSGIInterpreterLimit", "4294967296");
}

TEST(HashSeed, IsRandomOrA32BitNumber) {
  expect_shown<settings::ProcessSettings>("WSGIPythonHashSeed", "random", "random");
  expect_shown<settings::ProcessSettings>("WSGIPythonHashSeed", "0", "0");
  expect_shown<settings::ProcessSettings>("WSGIPythonHashSeed", "4294967295", "4294967295");
  for (const auto* word : {"4294967296", "-1", "Random", "1 "}) {
    expect_refused<settings::ProcessSettings>("WSGIPythonHashSeed", word);
  }
}

TEST(SwitchInterval, IsAPositiveNumberOfSeconds) {
  expect_shown<settings::ProcessSettings>("WSGISwitchInterval", "0.005", "0.005");
  for (const auto* word : {"0", "-1", "1e", "0.1s", "nan"}) {
    expect_refused<settings::ProcessSettings>("WSGISwitchInterval", word);
  }
}

TEST(PassAuthorization, IsOnOffOrAuto) {
  expect_shown<settings::RequestSettings>("WSGIPassAuthorization", "AUTO", "Auto");
  expect_shown<settings::RequestSettings>("WSGIPassAuthorization", "on", "On");
  expect_shown<settings::RequestSettings>("WSGIPassAuthorization", "off", "Off");
}

TEST(HeadMapping, IsOnOffOrAuto) {
  expect_shown<settings::RequestSettings>("WSGIMapHEADToGET", "auto", "Auto");
  expect_shown<settings::RequestSettings>("WSGIMapHEADToGET", "on", "On");
  expect_shown<settings::RequestSettings>("WSGIMapHEADToGET", "off", "Off");
  expect_refused<settings::RequestSettings>("WSGIMapHEADToGET", "Never");
}

TEST(Logging, HasAHandlerAndLevels) {
  using P = settings::ProcessSettings;
  expect_shown<P>("WSGILogging", "On", "On stdout=info stderr=error");
  expect_shown<P>("WSGILogging", "off", "Off stdout=info stderr=error");
  expect_shown<P>("WSGILogging", "JSON stderr=warn", "json stdout=info stderr=warn");
  expect_shown<P>("WSGILogging", "On stderr=notice stdout=trace3",
                  "On stdout=trace1 stderr=notice");
  for (const auto* text :
       {"", "Maybe", "On stdout", "On stdin=warn", "On stdout=loud", "stdout=warn"}) {
    expect_refused<P>("WSGILogging", text);
  }
}

TEST(Tracing, IsOffLogOrPropagate) {
  expect_shown<settings::RequestSettings>("WSGITrace", "Off", "off");
  expect_shown<settings::RequestSettings>("WSGITrace", "LOG", "log");
  expect_shown<settings::RequestSettings>("WSGITrace", "propagate", "propagate");
  expect_refused<settings::RequestSettings>("WSGITrace", "On");
}

TEST(NameList, ContainsWholeNames) {
  const settings::NameList list{"shop blog %{GLOBAL}"};
  for (const auto* name : {"shop", "blog", "%{GLOBAL}"}) EXPECT_TRUE(list.contains(name)) << name;
  for (const auto* name : {"", "sho", "op", "SHOP", "shop blog"}) {
    EXPECT_FALSE(list.contains(name)) << name;
  }
  EXPECT_FALSE(settings::NameList{}.contains("shop"));
}

TEST(NetworkList, GrowsByEachLine) {
  settings::RequestSettings record;
  ASSERT_TRUE(assign(directive("WSGITrustedProxies"), record, "10.0.0.0/8 FE80::1"));
  ASSERT_TRUE(assign(directive("WSGITrustedProxies"), record, "192.0.2.0/255.255.255.0"));
  EXPECT_EQ(show(record), "WSGITrustedProxies 10.0.0.0/8 fe80::1 192.0.2.0/24\n");
}

TEST(NetworkList, NamesWhatIsNone) {
  settings::RequestSettings record;
  for (const char* bad : {"proxy.example", "10.0.0.0/33", "10.0.0.0/", "fd00::/x"}) {
    const auto assigned =
        assign(directive("WSGITrustedProxies"), record, std::string("10.0.0.0/8 ") + bad);
    ASSERT_FALSE(assigned) << bad;
    EXPECT_THAT(assigned.error().sentence,
                HasSubstr("WSGITrustedProxies: '" + std::string(bad) + "' is not accepted; give "));
  }
  EXPECT_FALSE(assign(directive("WSGITrustedProxies"), record, ""));
  EXPECT_EQ(show(record), "");
}

TEST(ForwardedHeaderList, GrowsByEachLineAndLeavesUnknownNamesOut) {
  settings::RequestSettings record;
  ASSERT_TRUE(assign(directive("WSGITrustedProxyHeaders"), record, "x-forwarded-for X-Unheard-Of"));
  ASSERT_TRUE(assign(directive("WSGITrustedProxyHeaders"), record, "X-REAL-IP"));
  EXPECT_EQ(show(record), "WSGITrustedProxyHeaders X-Forwarded-For X-Real-IP\n");
}

TEST(ForwardedHeaderList, RefusesNamesThatReachNoApplication) {
  settings::RequestSettings record;
  for (const char* bad : {"X_Forwarded_For", "X-Real-IP:", "Fo\xc3\xb6"}) {
    const auto assigned =
        assign(directive("WSGITrustedProxyHeaders"), record, std::string("X-Real-IP ") + bad);
    ASSERT_FALSE(assigned) << bad;
    EXPECT_THAT(assigned.error().sentence, HasSubstr("'" + std::string(bad) + "'"));
  }
  EXPECT_FALSE(assign(directive("WSGITrustedProxyHeaders"), record, ""));
}

TEST(GroupName, IsANameOrAKnownToken) {
  for (const auto* word :
       {"shop", "%{GLOBAL}", "%{RESOURCE}", "%{SERVER}", "%{HOST}", "%{ENV:GROUP}", "50%"}) {
    expect_shown<settings::RequestSettings>("WSGIProcessGroup", word, word);
    expect_shown<settings::RequestSettings>("WSGIApplicationGroup", word, word);
  }
  for (const auto* word : {"", "%{RESSOURCE}", "%{ENV:GROUP", "%{global}"}) {
    expect_refused<settings::RequestSettings>("WSGIApplicationGroup", word);
  }
}

TEST(PythonPath, CollectsDirectoriesOfRepeatedLines) {
  settings::ProcessSettings record;
  ASSERT_TRUE(assign(directive("WSGIPythonPath"), record, "/a:/b"));
  ASSERT_TRUE(assign(directive("WSGIPythonPath"), record, "/c"));
  EXPECT_THAT(*record.python_path, ElementsAre("/a", "/b", "/c"));
  EXPECT_EQ(show(record), "WSGIPythonPath /a:/b:/c\n");
}

TEST(PythonPath, RefusesWhatIsNotAnAbsoluteDirectory) {
  for (const auto* word : {"lib", "/a:lib", ":lib"}) {
    expect_refused<settings::ProcessSettings>("WSGIPythonPath", word);
  }
}

// Templates write them where a variable is empty.
TEST(PythonPath, LeavesEmptyDirectoriesOut) {
  expect_shown<settings::ProcessSettings>("WSGIPythonPath", "/a::/b:", "/a:/b");
  settings::ProcessSettings record;
  for (const char* word : {"", ":"}) {
    EXPECT_TRUE(assign(directive("WSGIPythonPath"), record, word));
    EXPECT_EQ(show(record), "");
  }
}

TEST(Number, MayHaveAPlusAndMeansTheLargestOneBeyondIt) {
  expect_shown<settings::ProcessSettings>("WSGIPythonOptimize", "+1", "1");
  expect_shown<settings::ProcessSettings>("WSGIPythonOptimize", "9", "2");
  expect_shown<settings::ProcessSettings>("WSGISwitchInterval", "5e-3", "0.005");
  expect_refused<settings::ProcessSettings>("WSGIPythonOptimize", "On");
}

TEST(Seconds, MayBeNoneWhereThatHasAMeaning) {
  expect_shown<settings::ProcessSettings>("WSGISlowRequests", "0", "0");
  expect_shown<settings::ProcessSettings>("WSGISlowRequests", "2.5", "2.5");
  expect_refused<settings::ProcessSettings>("WSGISlowRequests", "-1");
  expect_refused<settings::ProcessSettings>("WSGISwitchInterval", "0");
}

TEST(Interface, IsOneOfItsWords) {
  for (const char* word : {"auto", "wsgi", "asgi", "asgi2"}) {
    expect_shown<settings::RequestSettings>("WSGIInterface", word, word);
  }
  expect_refused<settings::RequestSettings>("WSGIInterface", "ASGI");
  expect_refused<settings::RequestSettings>("WSGIInterface", "asgi3");
}

TEST(InertDirective, LooksAtItsValue) {
  EXPECT_TRUE(settings::check_inert(directive("WSGIVerboseDebugging"), "on"));
  EXPECT_FALSE(settings::check_inert(directive("WSGIVerboseDebugging"), "1"));
  EXPECT_FALSE(settings::check_inert(directive("WSGIAcceptMutex"), "spinlock"));
}

TEST(AliasOption, IsTheSettingOfItsDirective) {
  EXPECT_EQ(settings::find_alias_option("application-group"), &directive("WSGIApplicationGroup"));
  EXPECT_EQ(settings::find_alias_option("process-group"), &directive("WSGIProcessGroup"));
  EXPECT_EQ(settings::find_alias_option("callable-object"), &directive("WSGICallableObject"));
  EXPECT_EQ(settings::find_alias_option("interface"), &directive("WSGIInterface"));
  EXPECT_EQ(settings::find_alias_option("pass-authorization"), &directive("WSGIPassAuthorization"));
  EXPECT_EQ(settings::find_alias_option("Application-Group"), nullptr);
  EXPECT_EQ(settings::find_alias_option(""), nullptr);
}

TEST(Inheritance, TakesOverWhatIsNotSet) {
  settings::RequestSettings outer;
  outer.application_group = "outer";
  outer.script_reloading = false;
  settings::RequestSettings inner;
  inner.application_group = "inner";
  const auto merged = inherit(inherit(inner, outer), settings::kRequestDefaults);
  EXPECT_EQ(merged.application_group, "inner");
  EXPECT_EQ(merged.script_reloading, false);
  EXPECT_EQ(merged.callable_object, "application");
}

// A value of each kind that is not the default's.
const char* other_value(const settings::Directive& each) {
  if (each.accepts != nullptr) return "other";
  const std::string_view name = each.name;
  if (name == "WSGIInterface") return "asgi";
  if (name == "WSGITrustedProxies") return "192.0.2.9";
  if (name == "WSGITrustedProxyHeaders") return "X-Real-IP";
  if (name == "WSGITrace") return "propagate";
  const bool flag = std::string_view(each.accepted).starts_with("On");
  return flag && show(settings::kRequestDefaults).find(std::string(name) + " On") !=
                     std::string::npos
             ? "Off"
             : "On";
}

TEST(Inheritance, OfEachDirectiveTakesTheInnerValueBeforeTheOuterOne) {
  for (const settings::Directive& each : settings::all_directives()) {
    const auto* setting = std::get_if<settings::Setting<settings::RequestSettings>>(&each.meaning);
    if (setting == nullptr) continue;
    settings::RequestSettings outer;
    ASSERT_TRUE(assign(each, outer, other_value(each))) << each.name;
    const std::string shown = setting->show(outer, each);
    EXPECT_EQ(setting->show(inherit(settings::RequestSettings{}, outer), each), shown) << each.name;
    EXPECT_EQ(setting->show(inherit(outer, settings::kRequestDefaults), each), shown) << each.name;
    EXPECT_NE(setting->show(settings::kRequestDefaults, each), shown) << each.name;
  }
}

TEST(Inheritance, LeavesWithoutADefaultWhatHasNone) {
  const auto settings = inherit(settings::ProcessSettings{}, settings::process_defaults());
  EXPECT_EQ(settings.python_home, std::nullopt);
  EXPECT_EQ(settings.switch_interval, std::nullopt);
  EXPECT_EQ(settings.interpreter_limit, 64u);
}

}  // namespace
}  // namespace pyhost::gateway

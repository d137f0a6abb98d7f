#include "settings/process_group.h"

#include <gmock/gmock.h>

#include <set>

namespace pyhost::gateway {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

settings::ProcessGroup named(std::string name) {
  settings::ProcessGroup group;
  group.name = std::move(name);
  return group;
}

settings::ProcessGroup with(std::string_view key, std::string_view value) {
  settings::ProcessGroup group = named("shop");
  const auto parsed = settings::parse_process_group_option(group, key, value);
  EXPECT_TRUE(parsed) << parsed.error().sentence;
  return group;
}

// The option as it is shown after `value` was given.
std::string shown(std::string_view key, std::string_view value) {
  std::string text;
  for (const auto& [name, each] : settings::given_options(with(key, value)))
    text += name + "=" + each + " ";
  return text;
}

struct Good {
  const char* key;
  const char* value;
  const char* shown;
};

class GoodOption : public testing::TestWithParam<Good> {};

// Templates write options that nobody has given a value.
TEST(ProcessGroup, TakesSomeEmptyOptionsForNone) {
  for (const char* key : {"supplementary-groups", "lang", "locale", "display-name", "python-home",
                          "python-path", "python-eggs"}) {
    EXPECT_EQ(shown(key, ""), "") << key;
  }
  EXPECT_EQ(shown("python-path", ":"), "");
  EXPECT_EQ(shown("python-path", ":/a::/b:"), "python-path=/a:/b ");
  EXPECT_EQ(shown("supplementary-groups", "a,"), "supplementary-groups=a ");
}

TEST(ProcessGroup, HasPlacesForConnectionsWhereThreadsAreNotNeeded) {
  for (const auto& [interface, places] :
       {std::pair("auto", 15u), {"wsgi", 15u}, {"asgi", 100u}, {"asgi2", 100u}}) {
    EXPECT_EQ(settings::places_of_worker(with("interface", interface)), places) << interface;
  }
  EXPECT_EQ(settings::places_max_of_worker(with("interface", "auto")), 100u);
  EXPECT_EQ(settings::places_max_of_worker(with("interface", "wsgi")), 15u);
  settings::ProcessGroup group = with("interface", "asgi");
  group.connections = 3;
  EXPECT_EQ(settings::places_of_worker(group), 15u);
  group.threads = 0;
  EXPECT_EQ(settings::places_of_worker(group), 0u);
}

TEST_P(GoodOption, IsParsedAndShown) {
  const Good& good = GetParam();
  EXPECT_EQ(shown(good.key, good.value), good.shown);
}

INSTANTIATE_TEST_SUITE_P(
    Every, GoodOption,
    testing::Values(
        Good{"user", "shop", "user=shop "}, Good{"user", "#1001", "user=#1001 "},
        Good{"group", "#0", "group=#0 "},
        Good{"supplementary-groups", "a,#7", "supplementary-groups=a,#7 "},
        Good{"interface", "auto", ""}, Good{"interface", "wsgi", "interface=wsgi "},
        Good{"interface", "asgi", "interface=asgi "},
        Good{"interface", "asgi2", "interface=asgi2 "}, Good{"lifespan", "auto", ""},
        Good{"lifespan", "on", "lifespan=on "}, Good{"lifespan", "off", "lifespan=off "},
        Good{"loop", "auto", ""}, Good{"loop", "asyncio", "loop=asyncio "},
        Good{"loop", "uvloop", "loop=uvloop "},
        Good{"disconnect-grace", "3", "disconnect-grace=3 "}, Good{"connections", "100", ""},
        Good{"connections", "1", "connections=1 "}, Good{"disconnect-grace", "0", ""},
        Good{"websocket-ping-interval", "20", ""},
        Good{"websocket-ping-interval", "0", "websocket-ping-interval=0 "},
        Good{"websocket-ping-timeout", "500ms", "websocket-ping-timeout=500ms "},
        Good{"websocket-max-message", "16M", ""},
        Good{"websocket-max-message", "64K", "websocket-max-message=65536 "},
        Good{"websocket-compression", "off", ""},
        Good{"websocket-compression", "on", "websocket-compression=On "},
        Good{"websocket-connect-timeout", "5", "websocket-connect-timeout=5 "},
        Good{"websocket-drain", "10", ""}, Good{"websocket-drain", "0", "websocket-drain=0 "},
        Good{"reload", "off", "reload=off "}, Good{"reload", "rolling", ""},
        Good{"umask", "7", "umask=007 "}, Good{"umask", "1777", "umask=777 "},
        Good{"chroot", "/jail", "chroot=/jail "}, Good{"home", "/srv", "home=/srv "},
        Good{"lang", "C.UTF-8", "lang=C.UTF-8 "}, Good{"locale", "C", "locale=C "},
        Good{"env", "A=b=c", "env=A=b=c "}, Good{"env", "A=", "env=A= "},
        Good{"env-file", "/etc/shop", "env-file=/etc/shop "},
        Good{"display-name", "%{GROUP}", "display-name=%{GROUP} "},
        Good{"cpu-priority", "-5", "cpu-priority=-5 "},
        Good{"cpu-priority", "+5", "cpu-priority=5 "},
        Good{"cpu-priority", "20", "cpu-priority=19 "},
        Good{"cpu-priority", "-100", "cpu-priority=-20 "},
        Good{"oom-score-adjust", "-1000", "oom-score-adjust=-1000 "},
        Good{"oom-score-adjust", "0", "oom-score-adjust=0 "},
        Good{"script-user", "root", "script-user=root "},
        Good{"script-group", "www", "script-group=www "},
        Good{"python-home", "/venv", "python-home=/venv "},
        Good{"python-path", "/a:/b", "python-path=/a:/b "},
        Good{"python-eggs", "/e", "python-eggs=/e "}, Good{"python-eggs", "e", "python-eggs=e "},
        Good{"switch-interval", "0.01", "switch-interval=0.01 "},
        Good{"switch-interval", "1e-3", "switch-interval=0.001 "},
        Good{"stack-size", "8M", "stack-size=8388608 "},
        Good{"server-metrics", "on", "server-metrics=On "},
        Good{"newrelic-config-file", "/etc/n.ini", "newrelic-config-file=/etc/n.ini "},
        Good{"newrelic-environment", "", ""}, Good{"processes", "1", "processes=1 "},
        Good{"threads", "0", "threads=0 "}, Good{"threads", "65533", "threads=65533 "},
        Good{"threads", "+5", "threads=5 "}, Good{"queue", "0", "queue=0 "},
        Good{"listen-backlog", "0", "listen-backlog=0 "},
        Good{"connect-timeout", "0", "connect-timeout=0 "},
        Good{"socket-timeout", "60s", "socket-timeout=60 "},
        Good{"socket-timeout", "+60", "socket-timeout=60 "},
        Good{"queue-timeout", "500ms", "queue-timeout=500ms "},
        Good{"response-socket-timeout", "1", "response-socket-timeout=1 "},
        Good{"response-buffer-size", "64k", "response-buffer-size=65536 "},
        Good{"response-flush-delay", "7", "response-flush-delay=7 "},
        Good{"response-flush-delay", "1s", "response-flush-delay=1000 "},
        Good{"header-buffer-size", "8192", "header-buffer-size=8192 "},
        Good{"send-buffer-size", "512", "send-buffer-size=512 "},
        Good{"receive-buffer-size", "1M", "receive-buffer-size=1048576 "},
        Good{"socket-user", "#33", "socket-user=#33 "},
        Good{"reload-on", "/srv/**/*.py", "reload-on=/srv/**/*.py "},
        Good{"memory-limit", "512M", "memory-limit=536870912 "},
        Good{"virtual-memory-limit", "2g", "virtual-memory-limit=2147483648 "},
        Good{"cpu-time-limit", "1h", "cpu-time-limit=3600 "},
        Good{"maximum-requests", "5", "maximum-requests=5 "},
        Good{"restart-interval", "24h", "restart-interval=86400 "},
        Good{"inactivity-timeout", "5min", "inactivity-timeout=300 "},
        Good{"request-timeout", "60", "request-timeout=60 "},
        Good{"interrupt-timeout", "1", "interrupt-timeout=1 "},
        Good{"deadlock-timeout", "0", "deadlock-timeout=0 "},
        Good{"startup-timeout", "15", "startup-timeout=15 "},
        Good{"graceful-timeout", "0", "graceful-timeout=0 "},
        Good{"eviction-timeout", "1", "eviction-timeout=1 "},
        Good{"shutdown-timeout", "0", "shutdown-timeout=0 "}));

struct Bad {
  const char* key;
  std::vector<const char*> values;
};

class BadOption : public testing::TestWithParam<Bad> {};

TEST_P(BadOption, IsRefusedWithASentenceThatNamesIt) {
  const Bad& bad = GetParam();
  for (const char* value : bad.values) {
    settings::ProcessGroup group = named("shop");
    const auto parsed = settings::parse_process_group_option(group, bad.key, value);
    ASSERT_FALSE(parsed) << bad.key << " accepts '" << value << "'";
    EXPECT_THAT(parsed.error().sentence,
                AllOf(HasSubstr("WSGIDaemonProcess shop: "),
                      HasSubstr(std::string(bad.key) + "=" + value + " is not accepted; give ")));
    EXPECT_EQ(group, named("shop"));
  }
}

const std::vector<const char*> kNoTimes{"", "x", "-1", "1.5", "1m", "1 s", "30 "};
const std::vector<const char*> kNoNumbers{"", "x", "-1", "1x", "4294967296"};
const std::vector<const char*> kNoPaths{"", "relative", "./x"};

INSTANTIATE_TEST_SUITE_P(
    Every, BadOption,
    testing::Values(
        Bad{"user", {"", "root", "#0", "#x", "#-1", "#4294967295"}}, Bad{"group", {"", "#", "#x"}},
        Bad{"supplementary-groups", {"a,#x", ",#"}}, Bad{"reload", {"", "on", "Off", "rolling "}},
        Bad{"interface", {"", "ASGI", "asgi3", "auto "}}, Bad{"lifespan", {"", "On", "yes"}},
        Bad{"websocket-max-message", {"", "0", "2G", "x"}},
        Bad{"websocket-compression", {"", "yes please", "2"}},
        Bad{"websocket-drain", {"", "-1", "x"}}, Bad{"loop", {"", "trio", "uvloop "}},
        Bad{"disconnect-grace", {"", "-1", "x"}}, Bad{"connections", {"", "0", "-1", "65534", "x"}},
        Bad{"umask", {"", "8", "-1", "10000", "0x1", "22 "}}, Bad{"chroot", kNoPaths},
        Bad{"home", kNoPaths}, Bad{"env", {"", "A", "=b"}}, Bad{"env-file", kNoPaths},
        Bad{"oom-score-adjust", {"", "x", "1001", "-1001", "1.0"}},
        Bad{"cpu-priority", {"", "x", "1.0", "++5", "+", "99999999999"}},
        Bad{"script-user", {"", "#x"}}, Bad{"script-group", {"", "#x"}},
        Bad{"python-home", {"relative"}},
        Bad{"switch-interval", {"", "0", "-1", "x", "inf", "nan", "1e", "+1"}},
        Bad{"stack-size", {"", "-1", "1.5M", "8MB"}}, Bad{"server-metrics", {"", "yes", "1"}},
        Bad{"processes", {"", "0", "-1", "4097", "2x"}}, Bad{"threads", {"", "-1", "65534", "x"}},
        Bad{"queue", kNoNumbers}, Bad{"listen-backlog", {"", "2147483648"}},
        Bad{"connect-timeout", kNoTimes}, Bad{"socket-timeout", kNoTimes},
        Bad{"queue-timeout", kNoTimes}, Bad{"response-socket-timeout", kNoTimes},
        Bad{"response-buffer-size", {"", "65535", "1", "-1", "x"}},
        Bad{"response-flush-delay", kNoTimes}, Bad{"header-buffer-size", {"", "8191", "x"}},
        Bad{"send-buffer-size", {"", "511", "2G"}}, Bad{"receive-buffer-size", {"", "511", "2G"}},
        Bad{"socket-user", {"", "#x"}}, Bad{"reload-on", {"", "a/*.py", "/srv/[a", "/**"}},
        Bad{"memory-limit", {"", "-1", "x", "9223372036854775808"}},
        Bad{"virtual-memory-limit", {"", "-1", "x"}}, Bad{"cpu-time-limit", kNoTimes},
        Bad{"maximum-requests", kNoNumbers}, Bad{"restart-interval", kNoTimes},
        Bad{"inactivity-timeout", kNoTimes}, Bad{"request-timeout", kNoTimes},
        Bad{"interrupt-timeout", kNoTimes}, Bad{"deadlock-timeout", kNoTimes},
        Bad{"startup-timeout", kNoTimes}, Bad{"graceful-timeout", kNoTimes},
        Bad{"eviction-timeout", kNoTimes}, Bad{"shutdown-timeout", kNoTimes}));

TEST(ProcessGroupOptions, AreNamedOnceAndDescribed) {
  std::set<std::string_view> keys;
  for (const settings::ProcessGroupOption& option : settings::process_group_options()) {
    EXPECT_TRUE(keys.insert(option.key).second) << option.key;
    EXPECT_FALSE(std::string_view(option.accepted).empty()) << option.key;
    EXPECT_TRUE(std::string_view(option.description).ends_with('.')) << option.key;
  }
}

TEST(ProcessGroupOptions, AcceptTheirOwnDefaults) {
  const settings::ProcessGroup defaults = named("shop");
  for (const settings::ProcessGroupOption& option : settings::process_group_options()) {
    for (const std::string& value : option.member.show(defaults, option)) {
      EXPECT_EQ(with(option.key, value).threads, defaults.threads);
    }
  }
}

TEST(ProcessGroup, RefusesAnUnknownOption) {
  settings::ProcessGroup group = named("shop");
  const auto parsed = settings::parse_process_group_option(group, "thread", "3");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().sentence,
            "WSGIDaemonProcess shop: there is no option thread= (the nearest name is 'threads')");
}

TEST(ProcessGroup, KeepsEveryVariableInOrder) {
  settings::ProcessGroup group = named("shop");
  ASSERT_TRUE(settings::parse_process_group_option(group, "env", "A=1,2:3"));
  ASSERT_TRUE(settings::parse_process_group_option(group, "env", "A=2"));
  EXPECT_THAT(group.env, ElementsAre("A=1,2:3", "A=2"));
  EXPECT_THAT(settings::given_options(group),
              ElementsAre(Pair("env", "A=1,2:3"), Pair("env", "A=2")));
}

TEST(ProcessGroup, TakesTheLastOfRepeatedOptions) {
  settings::ProcessGroup group = named("shop");
  ASSERT_TRUE(settings::parse_process_group_option(group, "python-path", "/a:/b"));
  ASSERT_TRUE(settings::parse_process_group_option(group, "python-path", "/c"));
  EXPECT_THAT(group.python_path, ElementsAre("/c"));
}

TEST(ProcessGroup, HasNothingGivenByDefault) {
  EXPECT_THAT(settings::given_options(named("shop")), IsEmpty());
  EXPECT_EQ(settings::worker_count(named("shop")), 1u);
}

TEST(ProcessGroup, ReadsTimesInTheirUnits) {
  EXPECT_EQ(with("graceful-timeout", "90").graceful_timeout, 90s);
  EXPECT_EQ(with("response-flush-delay", "90").response_flush_delay, 90ms);
}

TEST(ProcessGroup, NeedsAName) {
  EXPECT_FALSE(settings::check_process_group(named("")));
  EXPECT_TRUE(settings::check_process_group(named("shop")));
}

TEST(ProcessGroup, RefusesAScriptUserWithAScriptGroup) {
  settings::ProcessGroup group = with("script-user", "a");
  ASSERT_TRUE(settings::parse_process_group_option(group, "script-group", "b"));
  const auto checked = settings::check_process_group(group);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().sentence, HasSubstr("script-user= and script-group="));
}

TEST(ProcessGroupDifference, IsTheFirstOptionThatDiffers) {
  settings::ProcessGroup one, other;
  one.name = "one";
  EXPECT_FALSE(first_difference(one, other));
  other.threads = 4;
  other.env = {"A=1", "B=2"};
  auto difference = first_difference(one, other);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->key, "env");
  EXPECT_EQ(difference->first, "no env=");
  EXPECT_EQ(difference->second, "env=A=1 env=B=2");
  one.env = other.env;
  difference = first_difference(one, other);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->first, "no threads=");
  EXPECT_EQ(difference->second, "threads=4");
}

}  // namespace
}  // namespace pyhost::gateway

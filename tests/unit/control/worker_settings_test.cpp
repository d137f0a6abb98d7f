#include "control/worker_settings.h"

#include <gtest/gtest.h>

namespace pyhost::gateway {
namespace {

using namespace std::chrono_literals;

TEST(WorkerSettings, SurviveTheWayToTheWorker) {
  control::WorkerSettings settings;
  settings.engine.process_group = "blog";
  settings.engine.python_path = {"/srv/a", "/srv/\xff\xc3 b"};
  settings.engine.hash_seed = 7;
  settings.engine.script_owner = {.user = 5, .user_name = "games"};
  settings.engine.switch_interval_seconds = 0.25;
  settings.engine.server_version = {2, 4, 65};
  settings.plugin = "/usr/lib/plugin.so";
  settings.locale = "C.utf8";
  settings.threads = 3;
  settings.secret = *GroupSecret::make();
  settings.log_level = base::LogLevel::debug;
  settings.limits.graceful_timeout = 2500ms;
  settings.targets = {.scripts = {"/srv/a.wsgi"}, .folders = {"/srv/b/"}, .modules = {"site.wsgi"}};
  settings.preloads = {{.application_group = "main", .script = "/srv/a.wsgi"}};
  const std::string json = control::to_json(settings);
  const auto parsed = control::parse_worker_settings(json);
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(parsed->engine.process_group, "blog");
  EXPECT_EQ(parsed->engine.python_path, settings.engine.python_path);
  EXPECT_EQ(parsed->engine.hash_seed, 7u);
  EXPECT_EQ(parsed->engine.script_owner, settings.engine.script_owner);
  EXPECT_EQ(parsed->engine.switch_interval_seconds, 0.25);
  EXPECT_EQ(parsed->engine.server_version, settings.engine.server_version);
  EXPECT_TRUE(parsed->secret.matches(settings.secret.bytes()));
  EXPECT_EQ(parsed->limits, settings.limits);
  EXPECT_EQ(parsed->targets.modules, settings.targets.modules);
  ASSERT_EQ(parsed->preloads.size(), 1u);
  EXPECT_EQ(parsed->preloads[0].application_group, "main");
  EXPECT_EQ(control::to_json(*parsed), json);
}

struct WrongSettings {
  const char* replaced;
  const char* by;
};

class WrongWorkerSettings : public ::testing::TestWithParam<WrongSettings> {};

TEST_P(WrongWorkerSettings, AreRefusedByName) {
  std::string json = control::to_json({});
  const auto at = json.find(GetParam().replaced);
  ASSERT_NE(at, json.npos);
  json.replace(at, std::string_view(GetParam().replaced).size(), GetParam().by);
  EXPECT_FALSE(control::parse_worker_settings(json));
}

INSTANTIATE_TEST_SUITE_P(OfAnotherType, WrongWorkerSettings,
                         ::testing::Values(WrongSettings{R"("threads":1)", R"("threads":"1")"},
                                           WrongSettings{R"("threads":1)", R"("threads":-1)"},
                                           WrongSettings{R"("threads":1)", R"("thread":1)"},
                                           WrongSettings{R"("secret":"00)", R"("secret":"0)"},
                                           WrongSettings{R"("preloads":[])", R"("preloads":[1])"},
                                           WrongSettings{R"("scripts":[])", R"("scripts":[1])"},
                                           WrongSettings{R"("log_level":4)", R"("log_level":99)"},
                                           WrongSettings{"{", "["}));

TEST(ServedTargets, AreTheConfiguredOnesOnly) {
  const control::ServedTargets served{
      .scripts = {"/srv/a.wsgi"}, .folders = {"/srv/apps/"}, .modules = {"site.wsgi"}};
  const auto serves = [&](TargetKind kind, std::string_view script) {
    return served.serves({.kind = kind, .script = script});
  };
  EXPECT_TRUE(serves(TargetKind::file, "/srv/a.wsgi"));
  EXPECT_TRUE(serves(TargetKind::file, "/srv/apps/x/y.wsgi"));
  EXPECT_TRUE(serves(TargetKind::module, "site.wsgi"));
  EXPECT_FALSE(serves(TargetKind::file, "site.wsgi"));
  EXPECT_FALSE(serves(TargetKind::module, "/srv/a.wsgi"));
  EXPECT_FALSE(serves(TargetKind::module, "os"));
  EXPECT_FALSE(serves(TargetKind::file, "/srv/apps"));
  EXPECT_FALSE(serves(TargetKind::file, "/srv/apps/../b.wsgi"));
  EXPECT_FALSE(serves(TargetKind::file, "/srv/apps/x/.."));
  EXPECT_FALSE(serves(TargetKind::file, "/srv/apps/./a"));
  EXPECT_FALSE(serves(TargetKind::file, "/srv/apps//a"));
  EXPECT_FALSE(serves(TargetKind::file, ""));
}

TEST(WorkerLimits, ComeFromTheOptionsOfTheGroup) {
  settings::ProcessGroup group;
  EXPECT_EQ(control::limits_of(group), (control::WorkerLimits{.deadlock_timeout = 300s}));
  group.eviction_timeout = 30s;
  group.shutdown_timeout = 0ms;
  group.maximum_requests = 7;
  group.memory_limit_bytes = 1000;
  const control::WorkerLimits limits = control::limits_of(group);
  EXPECT_EQ(limits.eviction_timeout, 30s);
  EXPECT_EQ(limits.shutdown_timeout, settings::kUnlimitedShutdown);
  EXPECT_EQ(limits.requests_max, 7u);
  EXPECT_EQ(limits.resident_bytes_max, 900u);
}

TEST(ScriptKey, OfAPreloadIsThatOfItsTarget) {
  EXPECT_EQ(control::script_key(control::Preload{"blog", "/srv/app.wsgi", "application"}),
            gateway::script_key(Target{.application_group = "blog", .script = "/srv/app.wsgi"}));
  EXPECT_EQ(control::script_key(control::Preload{"", "package.site:app", ""}),
            gateway::script_key(Target{.kind = TargetKind::module, .script = "package.site"}));
}

}  // namespace
}  // namespace pyhost::gateway

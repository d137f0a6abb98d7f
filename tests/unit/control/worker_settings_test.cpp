#include "control/worker_settings.h"

#include <gmock/gmock.h>

#include "control/worker_brief.h"
#include "control/worker_limits.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::gateway {
namespace {

using namespace std::chrono_literals;

control::WorkerBrief example() {
  control::WorkerBrief brief;
  brief.group.name = "blog";
  brief.group.python_path = {"/srv/a", "/srv/\xff\xc3 b"};
  brief.group.threads = 3;
  brief.group.graceful_timeout = 2500ms;
  brief.settings.engine.hash_seed = 7;
  brief.settings.engine.script_owner = {.user = 5, .user_name = "games"};
  brief.settings.engine.switch_interval_seconds = 0.25;
  brief.settings.engine.server_version = {2, 4, 65};
  brief.settings.engine.server = {.built_for = {2, 4, 62},
                                  .description = "Apache/2.4.65",
                                  .build_date = "Jul  1 2025",
                                  .mpm = "event",
                                  .processes_max = 16,
                                  .threads_max = 25};
  brief.settings.engine.interpreters = {
      {.application_group = "", .python_path = {"/srv/\xff"}, .restrict_signal = false},
      {.switch_interval_seconds = 0.5, .restrict_stdin = true, .restrict_stdout = true}};
  brief.settings.plugin = "/usr/lib/plugin.so";
  brief.settings.secret = *GroupSecret::make();
  brief.settings.log = {.level = base::LogLevel::debug,
                        .printed = base::LogLevel::info,
                        .form = base::LogForm::json,
                        .group = "shop"};
  brief.settings.targets = {.scripts = {"/srv/a.wsgi"},
                            .folders = {"/srv/b/"},
                            .patterns = {"/srv/*/c"},
                            .modules = {"site.wsgi"},
                            .hooks = {"/srv/hooks.py"}};
  brief.settings.preloads = {{.application_group = "main", .script = "/srv/a.wsgi"}};
  brief.assignment = {.slot = 1,
                      .row = 3,
                      .generation = 7,
                      .report = 1,
                      .python_home = "/srv/venv\xff",
                      .imports = {{"", "site.wsgi", "app", TargetKind::module}},
                      .imports_required = true};
  return brief;
}

std::string json_of(const control::WorkerBrief& brief) {
  return control::worker_brief(brief.group, to_json(brief.settings), brief.assignment);
}

TEST(WorkerBrief, SurvivesTheWayToTheWorker) {
  const control::WorkerBrief brief = example();
  const std::string json = json_of(brief);
  const auto parsed = control::parse_worker_brief(json);
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(parsed->group, brief.group);
  EXPECT_EQ(parsed->assignment, brief.assignment);
  EXPECT_EQ(parsed->settings.engine.hash_seed, 7u);
  EXPECT_EQ(parsed->settings.engine.script_owner, brief.settings.engine.script_owner);
  EXPECT_EQ(parsed->settings.engine.switch_interval_seconds, 0.25);
  EXPECT_EQ(parsed->settings.engine.server_version, brief.settings.engine.server_version);
  EXPECT_EQ(parsed->settings.engine.server, brief.settings.engine.server);
  EXPECT_EQ(parsed->settings.engine.interpreters, brief.settings.engine.interpreters);
  EXPECT_TRUE(parsed->settings.secret.matches(brief.settings.secret.bytes()));
  EXPECT_EQ(parsed->settings.targets.modules, brief.settings.targets.modules);
  EXPECT_EQ(parsed->settings.targets.hooks, brief.settings.targets.hooks);
  EXPECT_EQ(parsed->settings.preloads, brief.settings.preloads);
  EXPECT_EQ(json_of(*parsed), json);
}

TEST(WorkerBrief, OfAnotherBuildIsRefusedForThatAlone) {
  const auto parsed = control::parse_worker_brief(R"({"build":"0.9-other","group":1})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(
      parsed.error().sentence,
      std::string("pyhost-worker is of build ") + kBuildId +
          ", pyhost-supervisor of build 0.9-other; the programs have been replaced while httpd "
          "runs: restart httpd");
  EXPECT_THAT(control::parse_worker_brief("{}").error().sentence,
              ::testing::HasSubstr("of an unknown build"));
}

TEST(WorkerBrief, IsRefusedWithoutAnyOfItsParts) {
  for (const char* part : {"group", "options", "settings", "assignment", "imports", "row"}) {
    std::string json = json_of(example());
    json.replace(json.find('"' + std::string(part) + '"') + 1, 1, "_");
    EXPECT_FALSE(control::parse_worker_brief(json)) << part;
  }
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
                         ::testing::Values(WrongSettings{R"("httpd_uid":0)", R"("httpd_uid":"0")"},
                                           WrongSettings{R"("httpd_uid":0)", R"("httpd_uid":-1)"},
                                           WrongSettings{R"("httpd_uid":0)", R"("uid":0)"},
                                           WrongSettings{R"("secret":"00)", R"("secret":"0)"},
                                           WrongSettings{R"("preloads":[])", R"("preloads":[1])"},
                                           WrongSettings{R"("scripts":[])", R"("scripts":[1])"},
                                           WrongSettings{R"("form":false)", R"("form":1)"},
                                           WrongSettings{R"("level":4)", R"("level":99)"},
                                           WrongSettings{"{", "["}));

TEST(ServedTargets, KeepHookScriptsAndApplicationsApart) {
  const control::ServedTargets served{.scripts = {"/srv/both.py"},
                                      .folders = {"/srv/"},
                                      .modules = {"site.wsgi"},
                                      .hooks = {"/srv/hook.py", "/srv/both.py", "site.hooks"}};
  const gateway::Target hook{.script = "/srv/hook.py"};
  EXPECT_TRUE(served.answers(hook));
  EXPECT_FALSE(served.serves(hook));
  const gateway::Target both{.script = "/srv/both.py"};
  EXPECT_TRUE(served.answers(both));
  EXPECT_TRUE(served.serves(both));
  const gateway::Target application{.script = "/srv/app.wsgi"};
  EXPECT_FALSE(served.answers(application));
  EXPECT_TRUE(served.serves(application));
  EXPECT_TRUE(served.answers({.kind = TargetKind::module, .script = "site.hooks"}));
  EXPECT_FALSE(served.serves({.kind = TargetKind::module, .script = "site.hooks"}));
  EXPECT_FALSE(served.answers({.kind = TargetKind::module, .script = "site.wsgi"}));
}

TEST(ServedTargets, AreTheConfiguredOnesOnly) {
  const control::ServedTargets served{.scripts = {"/srv/a.wsgi"},
                                      .folders = {"/srv/apps/"},
                                      .patterns = {"/home/*/www"},
                                      .modules = {"site.wsgi"}};
  const auto serves = [&](TargetKind kind, std::string_view script) {
    return served.serves({.kind = kind, .script = script});
  };
  EXPECT_TRUE(serves(TargetKind::file, "/srv/a.wsgi"));
  EXPECT_TRUE(serves(TargetKind::file, "/srv/apps/x/y.wsgi"));
  EXPECT_TRUE(serves(TargetKind::file, "/home/ann/www/x.wsgi"));
  EXPECT_TRUE(serves(TargetKind::module, "site.wsgi"));
  EXPECT_FALSE(serves(TargetKind::file, "/home/ann/x.wsgi"));
  EXPECT_FALSE(serves(TargetKind::file, "/home/../www/x.wsgi"));
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

}  // namespace
}  // namespace pyhost::gateway

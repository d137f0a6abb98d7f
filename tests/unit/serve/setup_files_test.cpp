#include "serve/setup_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pyhost::serve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const ServerPlan kPlan{.server_root = "/srv/it's"};

TEST(ControlScript, NamesItsFolderAsTheShellTakesIt) {
  ServeOptions options;
  EXPECT_THAT(control_script(options, kPlan, "/usr/bin/pyhost"),
              AllOf(HasSubstr("root='/srv/it'\\''s'\n"), HasSubstr("pyhost='/usr/bin/pyhost'\n"),
                    HasSubstr("reload --server-root \"$root\" app "), Not(HasSubstr("export"))));
}

TEST(ControlScript, ReadsTheScriptOfVariables) {
  ServeOptions options;
  options.envvars_script = "/srv/it's/envvars";
  EXPECT_THAT(control_script(options, kPlan, "pyhost"), HasSubstr(". '/srv/it'\\''s/envvars'\n"));
}

// Workers have them of their group.
TEST(ControlScript, SetsTheVariablesOfAnEmbeddedApplication) {
  ServeOptions options;
  options.embedded = true;
  options.env = {{"A", "b c"}};
  EXPECT_THAT(control_script(options, kPlan, "pyhost"), HasSubstr("export A='b c'\n"));
}

TEST(SystemdUnit, LetsRequestsFinish) {
  ServeOptions options;
  options.stop_timeout = base::Milliseconds(20'500);
  const ServerPlan plan{.server_root = "/srv/100% a"};
  EXPECT_THAT(systemd_unit(options, plan, ""),
              AllOf(HasSubstr("ExecStart=\"/srv/100%% a/pyhostctl\" foreground\n"),
                    HasSubstr("KillSignal=SIGWINCH\n"), HasSubstr("TimeoutStopSec=31\n"),
                    Not(HasSubstr("User="))));
  EXPECT_THAT(systemd_unit(options, plan, "shop"), HasSubstr("User=shop\n"));
}

}  // namespace
}  // namespace pyhost::serve

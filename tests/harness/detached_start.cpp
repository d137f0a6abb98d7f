#include "harness/detached_start.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "harness/httpd_root.h"
#include "harness/wait.h"

namespace pyhost::test {

ConfigCheck start_detached(std::string_view config, const Options& options) {
  const HttpdRoot root(config, options);
  ConfigCheck check;
  {
    const auto terminal = root.spawn({"-k", "start"});
    const auto status = terminal->wait_status();
    if (status && WIFEXITED(*status)) check.exit_code = WEXITSTATUS(*status);
  }
  check.output = root.output();
  check.output.resize(check.output.size() - root.error_log().size());
  const bool ended = wait_until([&root] {
    const auto left = root.processes();
    for (const pid_t pid : left) kill(pid, SIGTERM);
    return left.empty();
  });
  EXPECT_TRUE(ended) << root.output();
  return check;
}

}  // namespace pyhost::test

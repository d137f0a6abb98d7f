// What `pyhost check` and `pyhost explain` say of a test's configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/check_report.h"
#include "harness/command.h"
#include "harness/httpd_root.h"

namespace pyhost::test {

// The configuration of a server that does not run.
class Checked {
 public:
  explicit Checked(std::string_view config, const Options& options = {}) : root_(config, options) {}

  CommandResult run(std::vector<std::string> arguments) const;
  // Of --json; the test fails when it is none.
  control::CheckReport report() const { return parse(run({"check", "--json"})); }
  // Of a URL that is asked of the main port.
  control::Explanation explain(const std::string& path,
                               const std::string& host = "localhost") const;
  // Those with the id.
  std::vector<control::Finding> findings(std::string_view id) const;

  const std::string& root() const noexcept { return root_.path(); }
  int port() const noexcept { return root_.endpoint().port; }
  const TempDir& folder() const noexcept { return root_.folder(); }

 private:
  static control::CheckReport parse(const CommandResult& result);

  const HttpdRoot root_;
};

}  // namespace pyhost::test

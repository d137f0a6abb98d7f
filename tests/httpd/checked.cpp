#include "httpd/checked.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pyhost::test {

CommandResult Checked::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
  arguments.insert(arguments.begin() + 2, {"-f", root() + "/httpd.conf"});
  return run_command(arguments);
}

control::CheckReport Checked::parse(const CommandResult& result) {
  auto report = control::parse_check_report(result.output);
  if (report) return *std::move(report);
  ADD_FAILURE() << report.error().sentence << ": " << result;
  return {};
}

control::Explanation Checked::explain(const std::string& path, const std::string& host) const {
  const CommandResult result =
      run({"explain", "--json", fmt::format("http://{}:{}{}", host, port(), path)});
  const auto report = parse(result);
  if (report.explained.size() == 1) return report.explained.front();
  ADD_FAILURE() << "not explained: " << result;
  return {};
}

std::vector<control::Finding> Checked::findings(std::string_view id) const {
  std::vector<control::Finding> found;
  for (const control::Finding& finding : report().findings) {
    if (finding.id == id) found.push_back(finding);
  }
  return found;
}

}  // namespace pyhost::test

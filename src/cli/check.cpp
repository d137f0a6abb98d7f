#include "cli/check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/check_text.h"
#include "cli/httpd_test_run.h"
#include "control/check_protocol.h"

namespace pyhost::cli {
namespace {

using control::CheckReport;

base::Result<Variables> variables_of(const CheckOptions& options) {
  if (options.url.empty()) return {};
  PH_TRY(asked, parse_url(options.url));
  return Variables{{control::kCheckedUrl, asked.path},
                   {control::kCheckedHost, asked.host},
                   {control::kCheckedPort, asked.port}};
}

// What httpd says when it does not get as far as the module.
CheckReport report_of_silence(const HttpdTestRun& run) {
  if (run.exit_code != 0) return {.findings = {finding_of_httpd(run.said)}};
  return {.findings = {{.severity = control::Severity::error,
                        .id = "httpd",
                        .sentence = "the configuration does not load this module",
                        .cure = "LoadModule wsgi_module .../mod_pyhost.so; with mod_wsgi in its "
                                "place, take that away"}}};
}

base::Result<CheckReport> ask_httpd(const CheckOptions& options) {
  PH_TRY(variables, variables_of(options));
  PH_TRY(run, run_httpd_test(options, variables));
  if (run.report.empty()) return report_of_silence(run);
  return control::parse_check_report(run.report);
}

void print_json(const CheckReport& report) {
  // ASCII only: what is in it may have any bytes.
  fmt::print("{}\n", nlohmann::ordered_json::parse(to_json(report)).dump(2, ' ', true));
}

base::Result<int> run(const CheckOptions& options) {
  PH_TRY(report, ask_httpd(options));
  if (options.json) {
    print_json(report);
  } else if (options.url.empty() || report.explained.empty()) {
    fmt::print("{}", check_text(report));
  } else {
    for (const auto& explanation : report.explained)
      fmt::print("{}", explanation_text(explanation));
  }
  if (!options.url.empty()) return report.explained.empty() ? 1 : 0;
  return has_mistakes(report) ? 1 : 0;
}

}  // namespace

int check(const CheckOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli

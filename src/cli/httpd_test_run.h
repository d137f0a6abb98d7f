// A run of httpd -t in which the module tells what it has found.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/check_options.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

struct HttpdTestRun {
  std::string report;  // what the module has told; "" when it was not asked
  std::string said;    // httpd's own output
  int exit_code = -1;  // -1: ended by a signal
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// Waits until httpd ends. As apachectl does, the shell's file of variables is read before.
base::Result<HttpdTestRun> run_httpd_test(const CheckOptions& options, const Variables& variables);

}  // namespace pyhost::cli

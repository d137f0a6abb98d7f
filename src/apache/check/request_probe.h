// What httpd would do with a request, found out without one: its own hooks map a URL and read the
// sections and .htaccess files on the way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apache/httpd_api.h"
#include "control/check_report.h"

namespace pyhost::apache {

// A URL to be asked for.
struct ProbedUrl {
  std::string path;                    // "/cart?id=7"
  std::string host;                    // of the Host header
  unsigned port = 80;                  // of httpd
  const server_rec* server = nullptr;  // that it is for; null where host and port tell
};

// One for each of them, in their order; nothing where it was not found out. In processes of their
// own with the rights of httpd's children, which are given up after some seconds: modules that are
// not started may not like to be asked, and what ends one process is left out by the next. User and
// Python of an explanation are left out. PRECONDITION: the configuration has been read, and httpd
// does not run yet.
using ProbeAnswers = std::vector<std::optional<control::Explanation>>;
ProbeAnswers probe_requests(const server_rec* main_server, const std::vector<ProbedUrl>& urls);

}  // namespace pyhost::apache

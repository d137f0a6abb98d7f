// The page of pyhost-status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "metrics/group_report.h"

namespace pyhost::apache {

struct StatusPage {
  std::string server;       // its name
  std::string software;     // "httpd 2.4.62, Python 3.11"
  std::string nonce;        // that the policy of the page names for its style and its script
  std::int64_t now_us = 0;  // since the epoch
  base::TimePoint now;
  bool has_stacks = false;  // ?stacks=GROUP shows what the threads of a group do
  std::vector<metrics::GroupReport> groups;
};

// A whole document. It needs nothing else; it is complete as it is, and a script in it keeps it up
// to date.
std::string status_html(const StatusPage& page);

}  // namespace pyhost::apache

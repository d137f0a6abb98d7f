// Builds the strings of a request's environ, without DNS, subrequests or copies of what httpd
// keeps anyway.
#pragma once

#include <string_view>

#include "apache/config.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/settings.h"
#include "pyhost/gateway/target.h"

namespace pyhost::apache {

// What the environ says beyond the request itself.
struct EnvironInputs {
  const gateway::Target* target;
  const DaemonGroup* group;                  // nullptr: the httpd child itself
  const gateway::RequestSettings* settings;  // every member set
  std::string_view script_name;
  std::string_view path_info;
};

// Slashes in a row become one. A text without any is returned as it is, others are copied.
std::string_view collapse_slashes(apr_pool_t* pool, std::string_view path);

// The head of the request, in the request's pool.
gateway::RequestHead build_request_head(request_rec* r, const EnvironInputs& inputs);

}  // namespace pyhost::apache

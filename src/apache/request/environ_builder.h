// Builds the strings of a request's environ, without DNS, subrequests or copies of what httpd
// keeps anyway.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "apache/config/daemon_group.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/target.h"

namespace pyhost::settings {
struct RequestSettings;
}

namespace pyhost::apache {

// Whether the client's credentials are among the headers.
enum class Credentials {
  as_configured,  // WSGIPassAuthorization, CGIPassAuth
  passed,
  hidden,
};

// What the environ says beyond the request itself.
struct EnvironInputs {
  const gateway::Target* target;
  const DaemonGroup* group;                   // nullptr: the httpd child itself
  const settings::RequestSettings* settings;  // every member set
  std::string_view handler_script;            // "" when a script file is run
  std::string_view script_name;
  std::string_view path_info;
  Credentials credentials = Credentials::as_configured;
};

// Slashes in a row become one. A text without any is returned as it is, others are copied.
std::string_view collapse_slashes(apr_pool_t* pool, std::string_view path);

// Whether the length of the request body is what the client has announced. It is not known before
// the end of a chunked body, and of one that httpd's filters may change, such as mod_deflate's.
bool is_body_as_announced(const request_rec* r);
// Whether there are such filters, and a body for them.
bool is_body_filtered(const request_rec* r);

// The head of the request, in the request's pool. Once the body was received, with its length in
// place of what the client and httpd's filters have said of that.
gateway::RequestHead build_request_head(request_rec* r, const EnvironInputs& inputs,
                                        std::optional<std::uint64_t> received_bytes = {});

}  // namespace pyhost::apache

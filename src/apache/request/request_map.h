// Which application a request is for, and whether it may be run.
#pragma once

#include <tl/expected.hpp>

#include "apache/config/config.h"
#include "apache/request/refusal.h"
#include "pyhost/gateway/target.h"
#include "settings/settings.h"

namespace pyhost::apache {

// Everything in it lives as long as the request.
struct MappedRequest {
  gateway::Target target;
  const DaemonGroup* group = nullptr;  // nullptr: the httpd child itself
  settings::RequestSettings settings;  // every member set that has a default
  std::string_view handler_script;     // "" when a script file is run
  std::string_view script_name;        // slashes in a row are one
  std::string_view path_info;
};

// PRECONDITION: the request's handler is one of ours, or that of the handler script.
tl::expected<MappedRequest, Refusal> map_request(request_rec* r,
                                                 const HandlerScript* handler_or_null);

}  // namespace pyhost::apache

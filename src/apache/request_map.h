// Which application a request is for, and whether it may be run.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "apache/httpd_api.h"
#include "pyhost/base/messages.h"
#include "pyhost/gateway/settings.h"
#include "pyhost/gateway/target.h"

namespace pyhost::apache {

// Everything in it lives as long as the request.
struct MappedRequest {
  gateway::Target target;
  gateway::RequestSettings settings;  // every member set
  std::string_view script_name;       // slashes in a row are one
  std::string_view path_info;
};

// A request that is answered with an error instead of being run.
struct Refusal {
  int status = HTTP_INTERNAL_SERVER_ERROR;
  base::Message message = base::Message::none;  // none: nothing to log
  std::string text = {};
};

// PRECONDITION: the request's handler is one of ours.
tl::expected<MappedRequest, Refusal> map_request(request_rec* r);

}  // namespace pyhost::apache

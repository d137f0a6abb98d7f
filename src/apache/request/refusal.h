// A request that is answered with an error instead of being run.
#pragma once

#include <string>

#include "apache/httpd_api.h"
#include "pyhost/base/log.h"
#include "pyhost/base/messages.h"

namespace pyhost::apache {

struct Refusal {
  int status = HTTP_INTERNAL_SERVER_ERROR;
  base::Message message = base::Message::none;  // none: nothing to log
  std::string text = {};
  // What any client can bring about is no error of the server.
  base::LogLevel level = base::LogLevel::error;
};

}  // namespace pyhost::apache

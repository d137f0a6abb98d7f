// A request that is answered with an error instead of being run.
#pragma once

#include <string>

#include "pyhost/base/log.h"
#include "pyhost/base/messages.h"

namespace pyhost::gateway {

struct Refusal {
  int status = 500;
  base::Message message = base::Message::none;  // none: nothing to log
  std::string text = {};
  // What any client can bring about is no error of the server.
  base::LogLevel level = base::LogLevel::error;
};

}  // namespace pyhost::gateway

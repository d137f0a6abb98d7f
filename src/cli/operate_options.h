// What the supervisor of a running httpd is asked for: `pyhost status`, reload, stop and start.
#pragma once

#include <optional>
#include <string>

#include "control/operator_request.h"

namespace pyhost::cli {

struct OperateOptions {
  std::optional<control::OperatorRequest::Command> command;  // nothing: none of them
  std::string group;                                         // "": all, for status
  std::string socket;       // "": by the server root, or that of the system's httpd
  std::string server_root;  // of `pyhost serve`
  bool json = false;
  bool wait = true;
};

// The path of the socket to connect to.
std::string operator_socket(const OperateOptions& options);

}  // namespace pyhost::cli

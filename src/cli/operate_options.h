// What the supervisor of a running httpd is asked for: `pyhost status`, metrics, reload,
// stop and start.
#pragma once

#include <optional>
#include <string>

#include "control/operator_request.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

struct OperateOptions {
  std::optional<control::OperatorRequest::Command> command;  // nothing: none of them
  std::string group;                                         // "": all, for status and metrics
  std::string socket;       // "": by the server root, or that of the system's httpd
  std::string server_root;  // of `pyhost serve`
  bool json = false;
  bool openmetrics = false;
  bool wait = true;
  bool watch = false;   // status: again and again
  double interval = 2;  // seconds, between two looks
};

// Of the system's httpd.
std::string system_socket();
// The path of the socket to connect to: as it is told, or of the system's httpd, or of the one
// `pyhost serve` that this user runs. Fails when there are several of those.
base::Result<std::string> operator_socket(const OperateOptions& options);

}  // namespace pyhost::cli

// What the supervisor of a running httpd is asked for: `pyhost status`, reload, stop and start.
#pragma once

#include <string>

namespace pyhost::cli {

struct OperateOptions {
  std::string command;      // "status", "reload", "stop" or "start"
  std::string group;        // "": all, for status
  std::string socket;       // "": by the server root, or that of the system's httpd
  std::string server_root;  // of `pyhost serve`
  bool json = false;
  bool wait = true;
};

// The path of the socket to connect to.
std::string operator_socket(const OperateOptions& options);

}  // namespace pyhost::cli

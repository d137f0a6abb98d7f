// What a configuration says besides the options and the site: what was found on this machine.
#pragma once

#include <string>
#include <vector>

#include "serve/site.h"

namespace pyhost::serve {

struct ListenAddress {
  std::string host;  // an IPv6 address without brackets; "" for all addresses
  int port = 0;
  // Of the unix domain. Host and port are then those of the Listen line that stands for it.
  std::string unix_path = {};
  // A socket that is there before httpd is: one of the unix domain once it is opened, and those of
  // a service manager.
  int fd = -1;

  bool is_unix() const noexcept { return !unix_path.empty(); }
  // httpd gets the socket by this module, instead of opening it.
  bool is_adopted() const noexcept { return is_unix() || fd >= 0; }
};

// The `number`th one of the unix domain, from 1.
ListenAddress unix_address(std::string path, int number);

struct ServerPlan {
  std::string written_by = "pyhost serve at each start";
  std::string server_root;
  std::vector<ListenAddress> addresses;
  std::string tls_cert;  // "": no https
  std::string tls_key;
  std::string user;  // "": httpd keeps the user it is started as
  std::string group;
  std::string home;         // of the workers; "": their user's
  std::string module_file;  // mod_pyhost.so
  std::string modules_dir;
  // The file names in modules_dir: what is not there is built into httpd.
  std::vector<std::string> modules;
  std::string mime_types_file;  // "": none
  std::string access_log;       // a path, or "" for none
  std::string error_log;
  std::string rotatelogs;  // httpd's program of that name; "": not asked for
  std::vector<std::string> reload_patterns;

  bool speaks_tls() const noexcept { return !tls_cert.empty(); }
  bool adopts_sockets() const noexcept;
};

// The logs that this program reads and shows.
inline constexpr char kTerminalErrors[] = "/dev/stderr";
inline constexpr char kTerminalRequests[] = "/dev/stdout";

// The name of the process group that the application runs in.
inline constexpr char kGroupName[] = "app";

// The whole httpd.conf. Pure.
std::string render_config(const Site& site, const ServeOptions& options, const ServerPlan& plan);

}  // namespace pyhost::serve

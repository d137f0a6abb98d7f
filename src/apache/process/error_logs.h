// Where processes of their own write what they have to say.
#pragma once

#include <httpd.h>

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::apache {

// The error logs of httpd's servers, as descriptors. One for each generation of the configuration,
// used by the parent's thread.
class ErrorLogs {
 public:
  explicit ErrorLogs(server_rec* main_server) noexcept : main_server_(main_server) {}

  // That of a server, borrowed from it; for `ErrorLog syslog`, which only httpd itself can write
  // to, the standard input of a logger(1) that lives as long as httpd. The main server's when the
  // server has neither, and httpd's stderr as a last resort.
  int descriptor_of(const server_rec* server);
  // Why the server's own log cannot be written to; nothing when it can.
  std::optional<std::string> problem_of(const server_rec* server);

 private:
  // -1 when there is none.
  int own_descriptor_of(const server_rec* server);
  // By the facility and the tag; -1 when there is none.
  int logger_for(std::string_view target);

  server_rec* const main_server_;
};

}  // namespace pyhost::apache

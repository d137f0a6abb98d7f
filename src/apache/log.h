// Our records in httpd's error logs.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/base/log.h"

namespace pyhost::apache {

// Whether a record of this level would be kept in the request's or server's log.
bool wants(const request_rec* r, base::LogLevel level) noexcept;

// One record in the log of the request's virtual host, with its client and log id. Texts that are
// too long for httpd come as several records, "PH0174 (1/3): ...". An application's own output
// (Message::none) is one record for each line.
void log_request(const request_rec* r, base::LogLevel level, base::Message message,
                 std::string_view text) noexcept;

// The same in a server's log; with ap_server_conf also before its log is open, on stderr.
void log_server(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept;

// The main server's log, for records that belong to no request. Any thread.
class ServerLog final : public base::LogSink {
 public:
  bool wants(base::LogLevel level) const noexcept override;
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
};

}  // namespace pyhost::apache

// Our records in httpd's error logs, and those of applications.
//
// What becomes of them is WSGILogging's matter: lines as httpd writes those of all modules, or
// objects of JSON in the same file.
#pragma once

#include <sys/types.h>

#include "apache/httpd_api.h"
#include "pyhost/base/log.h"

namespace pyhost::apache {

// The process that a record is from: a worker, or this one.
struct RecordSource {
  std::string_view process_group;  // "" for this process
  pid_t pid = 0;                   // the same
};

// One record in the log of the request's virtual host, with its client and ids. Texts that are too
// long for httpd come as several records, "PH0174 (1/3): ...". An application's own output
// (Message::none) is one record for each line.
void log_request(const request_rec* r, base::LogLevel level, base::Message message,
                 std::string_view text, const RecordSource& source = {}) noexcept;
// The same of Python's logging.
void log_request(const request_rec* r, const base::ApplicationRecord& record,
                 const RecordSource& source = {}) noexcept;

// In a server's log; with ap_server_conf also before its log is open, on stderr.
void log_server(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept;
void log_server(const server_rec* s, const base::ApplicationRecord& record) noexcept;

// The main server's log, for records that belong to no request. Any thread.
class ServerLog final : public base::LogSink {
 public:
  bool wants(base::LogLevel level) const noexcept override;
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
  void log_application(const base::ApplicationRecord& record) noexcept override;
};

}  // namespace pyhost::apache

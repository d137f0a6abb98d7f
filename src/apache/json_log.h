// Records as objects of JSON in httpd's error logs (WSGILogging json).
#pragma once

#include "apache/httpd_api.h"
#include "apache/log.h"
#include "pyhost/base/log.h"

namespace pyhost::apache {

// Whether records of that server are written so: not before its log is open, nor to syslog.
bool writes_json(const server_rec* s) noexcept;

// Each writes one line past httpd, which would escape it. PRECONDITION: writes_json().
void write_json(const request_rec* r, base::LogLevel level, base::Message message,
                std::string_view text, const RecordSource& source) noexcept;
void write_json(const request_rec* r, const base::ApplicationRecord& record,
                const RecordSource& source) noexcept;
void write_json(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept;
void write_json(const server_rec* s, const base::ApplicationRecord& record) noexcept;

// The path of the request as the client has sent it, without what may be secret behind it.
std::string_view path_as_sent(const request_rec* r) noexcept;

}  // namespace pyhost::apache

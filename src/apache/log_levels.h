// Which records are kept in httpd's error logs.
#pragma once

#include "apache/httpd_api.h"
#include "base/log_rules.h"

namespace pyhost::apache {

// Whether LogLevel keeps the module's own records of this level, and those of Python's logging.
bool keeps(const request_rec* r, base::LogLevel level) noexcept;
bool keeps(const server_rec* s, base::LogLevel level) noexcept;

// What applications print is information, which httpd hides unless LogLevel says otherwise; nobody
// would look for it there. So it is kept from here on, unless a LogLevel names the module. Once for
// each reading of the configuration, before anything is logged by its rules.
void keep_what_is_printed(server_rec* main_server);

// What a process keeps that writes to the log of that server by itself.
base::LogRules log_rules_of(const server_rec* s);

}  // namespace pyhost::apache

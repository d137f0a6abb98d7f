// What becomes of what applications log and print.
#pragma once

#include "pyhost/base/log.h"

namespace pyhost::gateway {

struct Logging {
  // What is at the root of Python's logging in each interpreter.
  enum class Handler {
    none,   // what the application puts there
    lines,  // a handler for httpd's error log
    json,   // the same, and all records of the module are JSON
  };
  Handler handler = Handler::none;
  base::LogLevel output = base::LogLevel::info;   // of what is printed to sys.stdout
  base::LogLevel errors = base::LogLevel::error;  // and to sys.stderr and wsgi.errors

  bool is_json() const noexcept { return handler == Handler::json; }
};

}  // namespace pyhost::gateway

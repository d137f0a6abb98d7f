// Text streams that end in httpd's error log: sys.stderr, sys.stdout and wsgi.errors.
#pragma once

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/line_log.h"
#include "python/ref.h"
#include "python/request_link.h"

namespace pyhost::python {

// The Python type `mod_wsgi.Log`: write, writelines, flush, close, closed, readable, writable,
// seekable, isatty, fileno (OSError), encoding, errors, newlines, line_buffering, name, mode, and
// `buffer`, a sibling that takes bytes. A virtual subclass of io.TextIOBase. write() returns the
// number of characters or bytes.
class LogStreamType {
 public:
  static base::Result<LogStreamType> make(Attached& py);

  // A stream to whatever request the writing thread serves, otherwise to the server's log.
  Ref make_ambient(Attached& py, const char* name) const;
  // A stream to one request's log; once the link is closed, use raises RuntimeError.
  Ref make_for_request(Attached& py, const char* name, SharedRequestLink link, LineLog& log) const;

 private:
  explicit LogStreamType(Ref type) noexcept : type_(std::move(type)) {}

  Ref type_;
};

}  // namespace pyhost::python

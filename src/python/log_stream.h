// Text streams that end in httpd's error log: sys.stderr, sys.stdout and wsgi.errors.
#pragma once

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/line_log.h"
#include "python/ref.h"
#include "python/request_link.h"
#include "python/request_notes.h"

namespace pyhost::python {

// The Python type `mod_wsgi.Log`: write, writelines, flush, close, closed, readable, writable,
// seekable, isatty, fileno (OSError), encoding, errors, newlines, line_buffering, name, mode, and
// `buffer`, a sibling that takes bytes. A virtual subclass of io.TextIOBase. write() returns the
// number of characters or bytes.
class LogStreamType {
 public:
  static base::Result<LogStreamType> make(Attached& py);

  // A stream to the log of whatever request the writer's context belongs to, while that lives;
  // otherwise to the server's log.
  Ref make_ambient(Attached& py, const char* name) const;
  // A stream to one request's log; once the link is closed, use raises RuntimeError. What
  // annotate() adds goes to the notes, if there are any, which live as long as the link is open.
  Ref make_for_request(Attached& py, const char* name, SharedRequestLink link, LineLog& log,
                       RequestNotes* notes_or_null) const;
  // The calling thread's context belongs to the request of that stream. False with an exception
  // pending.
  bool set_request_stream(Attached& py, PyObject* stream) const;

 private:
  LogStreamType(Ref type, Ref variable) noexcept
      : type_(std::move(type)), request_stream_(std::move(variable)) {}

  Ref type_;
  Ref request_stream_;  // a ContextVar
};

// Tells httpd something of the request that the caller's context belongs to; `ambient` is an
// ambient stream. None, or null with RuntimeError or ValueError pending. For what Python has
// called.
PyObject* annotate(PyObject* ambient, gateway::Annotation annotation);

}  // namespace pyhost::python

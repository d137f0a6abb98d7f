// What the Python code of one request finds around it.
#pragma once

#include "python/context_scope.h"
#include "python/error.h"
#include "python/line_log.h"
#include "python/log_stream.h"
#include "python/request_link.h"

namespace pyhost::python {

// The calling thread runs in a new context for a scope: no request sees the contextvars of another.
// What is printed in it, or by any thread in a copy of it, goes to the request's log for as long as
// the link is open; and what they tell httpd, to the request's notes, if it has any. Without memory
// for the context the thread stays in its own, and prints to the server's log.
class RequestContext {
 public:
  RequestContext(Attached& py, const LogStreamType& streams, SharedRequestLink link, LineLog& log,
                 RequestNotes* notes_or_null)
      : errors_(streams.make_for_request(py, "<wsgi.errors>", std::move(link), log, notes_or_null)),
        scope_(py, Ref::steal(errors_ ? PyContext_New() : nullptr).get()),
        names_log_(scope_ && streams.set_request_stream(py, errors_.get())) {
    if (!names_log_) discard_error(py);
  }

  // wsgi.errors; null without memory for it.
  PyObject* errors_or_null() const noexcept { return errors_.get(); }

 private:
  const Ref errors_;
  const ContextScope scope_;
  const bool names_log_;
};

}  // namespace pyhost::python

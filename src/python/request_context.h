// What the Python code of one request finds around it.
#pragma once

#include "python/context_scope.h"
#include "python/error.h"
#include "python/log_stream.h"
#include "python/output_logs.h"
#include "python/request_link.h"

namespace pyhost::python {

// The calling thread runs in a new context for a scope: no request sees the contextvars of another.
// What is printed in it, or by any thread in a copy of it, goes to the request's log for as long as
// the link is open; and functions of mod_wsgi find the request that an application serves. Without
// memory for the context the thread stays in its own, and prints to the server's log.
class RequestContext {
 public:
  RequestContext(Attached& py, LogStreams& streams, SharedRequestLink link, OutputLogs& logs,
                 ServedRequest* served_or_null)
      : errors_(py, streams, std::move(link), logs, served_or_null),
        scope_(py, Ref::steal(errors_.text() != nullptr ? PyContext_New() : nullptr).get()),
        names_log_(scope_ && streams.enter(py, errors_.stream())) {
    if (!names_log_) discard_error(py);
  }

  // wsgi.errors; null without memory for it.
  PyObject* errors_or_null() const noexcept { return errors_.text(); }

 private:
  // Goes behind the context, which refers to it too.
  class Errors {
   public:
    Errors(Attached& py, LogStreams& streams, SharedRequestLink link, OutputLogs& logs,
           ServedRequest* served_or_null)
        : py_(py),
          streams_(streams),
          stream_(streams.take(py, std::move(link), logs, served_or_null)) {}
    Errors(const Errors&) = delete;
    Errors& operator=(const Errors&) = delete;
    ~Errors() { streams_.give_back(py_, std::move(stream_)); }

    const RequestStream& stream() const noexcept { return stream_; }
    PyObject* text() const noexcept { return stream_.text.get(); }

   private:
    Attached& py_;
    LogStreams& streams_;
    RequestStream stream_;
  };

  const Errors errors_;
  const ContextScope scope_;
  const bool names_log_;
};

}  // namespace pyhost::python

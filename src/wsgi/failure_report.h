// What happens when an application fails.
#pragma once

#include "python/attached.h"
#include "wsgi/request.h"

namespace pyhost::wsgi {

// Takes the pending exception of the application, logs it with its traceback in one record and
// notes in the request how to answer: 500, what the client did to its own body, or 504 when the
// exception is a `request_timeout`; tells the request's observer of any other.
// `application_or_null` is what was called.
void report_failure(python::Attached& py, Request& request, PyObject* request_timeout,
                    PyObject* application_or_null);

// The same for close(), which no longer changes the reply.
void report_close_failure(python::Attached& py, Request& request, PyObject* request_timeout);

}  // namespace pyhost::wsgi

// A process that an application has forked off and that comes back from it.
#pragma once

#include "python/attached.h"
#include "wsgi/request.h"

namespace pyhost::wsgi {

// Ends the process when it is such a copy: it must not answer the request a second time, nor serve
// others without anybody who looks after it. A pending exception is logged, unless it is a
// SystemExit, which says how to end.
void leave_if_forked(python::Attached& py, Request& request, PyObject* request_timeout);

}  // namespace pyhost::wsgi

// mod_wsgi.LogHandler.
#pragma once

#include "pyhost/gateway/logging.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::pyapi {

// A new class, derived from logging.Handler, whose records become records of httpd's log: that of
// the request whose context they come from, or the server's. They get two attributes that formats
// may use: request_id and trace_id, "-" outside of requests. `raw_ambient` is of
// LogStreams::make_raw_ambient(). Imports `logging`. Null with an exception pending.
python::Ref make_log_handler(python::Attached& py, PyObject* raw_ambient,
                             const gateway::Logging& logging);

// Gives the root logger of Python's logging such a handler. False with an exception pending.
bool add_root_handler(python::Attached& py);

}  // namespace pyhost::pyapi

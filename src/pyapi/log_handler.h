// mod_wsgi.LogHandler.
#pragma once

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::pyapi {

// A new class, derived from logging.Handler, whose records become records of httpd's log: that of
// the request whose context they come from, or the server's. `raw_ambient` is of
// LogStreams::make_raw_ambient(). Imports `logging`. Null with an exception pending.
python::Ref make_log_handler(python::Attached& py, PyObject* raw_ambient);

}  // namespace pyhost::pyapi

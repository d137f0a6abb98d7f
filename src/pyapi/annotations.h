// Functions with which applications tell httpd of their requests.
#pragma once

#include "python/attached.h"
#include "python/log_stream.h"

namespace pyhost::pyapi {

// Adds to the module:
//   set_user(name, /)             who has sent the request: REMOTE_USER of httpd, "%u"
//   set_note(name, value, /)      "%{name}n" of LogFormat
//   set_variable(name, value, /)  "%{name}e" of LogFormat and Header
// Each is about the request that the calling context belongs to, and raises RuntimeError when there
// is none or its head has left, ValueError for what httpd does not take. False with an exception
// pending.
bool add_annotations(python::Attached& py, PyObject* module, const python::LogStreams& streams);

}  // namespace pyhost::pyapi

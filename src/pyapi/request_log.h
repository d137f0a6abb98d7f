// Records that applications write to the log of a request.
#pragma once

#include "python/attached.h"
#include "python/log_stream.h"

namespace pyhost::pyapi {

// Adds to the module:
//   request_log(message, level=logging.INFO, /)   one record in the log of the request that the
//                                                 calling context belongs to, with its ids
// It raises RuntimeError when there is no request. False with an exception pending.
bool add_request_log(python::Attached& py, PyObject* module, const python::LogStreams& streams);

}  // namespace pyhost::pyapi

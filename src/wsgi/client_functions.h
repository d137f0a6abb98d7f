// What of environ tells the client something, or tells of it, before there is a response.
#pragma once

#include "python/attached.h"
#include "python/log_stream.h"
#include "python/ref.h"

namespace pyhost::wsgi {

// Both are about the request whose context calls them, and raise RuntimeError where there is none.
// Null with an exception pending.

// environ["wsgi.early_hints"](headers): sends a list of (name, value), as start_response() takes
// it, with status 103. Bad arguments raise TypeError or ValueError; behind the head of the response
// it is RuntimeError.
python::Ref make_early_hints(python::Attached& py, const python::LogStreams& streams);

// environ["mod_wsgi.client_disconnected"]() -> bool: whether nobody listens any more.
python::Ref make_client_disconnected(python::Attached& py, const python::LogStreams& streams);

}  // namespace pyhost::wsgi

// The part of our ASGI side that is easier said in Python.
#pragma once

#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::asgi {

// A function of the interpreter's support module (python/support.h), to which the first call adds:
//   asgi_protocol_of(application) -> str        'asgi', 'asgi2' or 'wsgi', by how it can be called
//   as_coroutine(awaitable) -> coroutine        what a task can be made of
//   new_event_loop(kind, may_detect) -> loop    set as the calling thread's
//   close_event_loop(loop)                      cancels what is left, ends generators and executor
// Null with an exception pending.
python::Ref support_function(python::Attached& py, const char* name);

// What asgi_protocol_of() says; nothing else than wsgi when that fails, with no exception pending.
gateway::Protocol protocol_of(python::Attached& py, PyObject* application);

}  // namespace pyhost::asgi

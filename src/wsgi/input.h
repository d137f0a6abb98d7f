// wsgi.input.
#pragma once

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/ref.h"
#include "wsgi/request.h"

namespace pyhost::wsgi {

// The Python type `mod_wsgi.Input`: read, readline, readlines, iteration over lines and close, as
// PEP 3333 has them. Reads block with the interpreter detached and end where the request body ends,
// chunked or not. What the client does to its body raises ConnectionResetError, TimeoutError or
// OSError; use after the request raises RuntimeError. Usable from any thread.
base::Result<python::Ref> make_input_type(python::Attached& py);

python::Ref make_input(python::Attached& py, PyObject* type, Request& request);

}  // namespace pyhost::wsgi

// start_response() and the write() that it returns.
#pragma once

#include <string>
#include <unordered_set>

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/ref.h"
#include "wsgi/request.h"

namespace pyhost::wsgi {

// Paths of scripts.
using ScriptNames = std::unordered_set<std::string>;

// The Python type `mod_wsgi.StartResponse`: start_response(status, headers, exc_info=None) ->
// write, as PEP 3333 has it. Bad arguments raise TypeError or ValueError, use after the request
// RuntimeError. A second call before anything was sent replaces the first. Usable from any thread.
base::Result<python::Ref> make_start_response_type(python::Attached& py);

// `told` has the scripts that were told that a header of theirs is dropped; it is the interpreter's
// and lives as long.
python::Ref make_start_response(python::Attached& py, PyObject* type, Request& request,
                                ScriptNames& told);

}  // namespace pyhost::wsgi

// The file of the system that a Python file object reads.
#pragma once

#include <optional>

#include "pyhost/gateway/exchange.h"
#include "python/attached.h"

namespace pyhost::wsgi {

// What read() of `filelike` would give, as a range of a descriptor; nothing when only read() can
// tell, or when httpd cannot send it. It is for objects whose read() is that of Python's own files
// (io.FileIO, or a buffer over it), whoever passes it on, and for tempfile's. All others may change
// what they read: decompress it, count it, cut it. Of a file that is open as text it is the bytes,
// because read() gives nothing that could be sent. The descriptor stays the application's. Leaves
// no exception.
std::optional<gateway::FileRange> real_file_of(python::Attached& py, PyObject* filelike);

}  // namespace pyhost::wsgi

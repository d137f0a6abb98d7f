// wsgi.file_wrapper.
#pragma once

#include <optional>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::wsgi {

// The Python type `mod_wsgi.FileWrapper(filelike, blksize=8192)`: an iterable over the blocks that
// filelike.read() gives (PEP 3333, optional platform-specific file handling). Attributes filelike
// and blksize; close() closes filelike. May be subclassed.
base::Result<python::Ref> make_file_wrapper_type(python::Attached& py);

// What a FileWrapper's blocks would come to, where that is the rest of a file that httpd can send
// (wsgi/real_file.h); nothing when it must be read block by block. The descriptor stays the
// application's.
std::optional<gateway::FileRange> file_range_of(python::Attached& py, PyObject* file_wrapper);

}  // namespace pyhost::wsgi

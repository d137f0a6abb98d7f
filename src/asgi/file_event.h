// Files that an application has httpd send (ASGI Extensions, "Path Send" and "Zero Copy Send").
#pragma once

#include <cstdint>
#include <optional>

#include "asgi/names.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/exchange.h"
#include "python/attached.h"

namespace pyhost::asgi {

// A range of a regular file, with a descriptor of our own: the application may close its.
struct FileEvent {
  base::UniqueFd file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool more = false;  // of the body is to come

  gateway::FileRange range() const noexcept { return {file.get(), offset, length}; }
};

// An http.response.pathsend: the whole file, which is opened, not attached meanwhile. Nothing with
// an exception pending: OSError when it cannot be opened.
std::optional<FileEvent> path_event_of(python::Attached& py, const Names& names, PyObject* event);

// An http.response.zerocopysend: from its offset, or where the file is read next, which stays as it
// is. The same.
std::optional<FileEvent> file_event_of(python::Attached& py, const Names& names, PyObject* event);

}  // namespace pyhost::asgi

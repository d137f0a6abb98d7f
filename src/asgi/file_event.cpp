#include "asgi/file_event.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "asgi/event_fields.h"
#include "asgi/refusal.h"
#include "pyhost/gateway/sendable_file.h"
#include "python/compat.h"
#include "python/error.h"

namespace pyhost::asgi {
namespace {

using python::Attached;
using python::DetachScope;
using python::Ref;

std::optional<FileEvent> refuse(const char* type, const std::string& why) {
  raise(wrong_value(fmt::format("{} needs {}", type, why)));
  return std::nullopt;
}

// The rest of the file behind `offset`; nothing with an exception pending when httpd cannot send
// it.
std::optional<FileEvent> rest_of(base::UniqueFd file, std::uint64_t offset, const char* type) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return refuse(type, "a regular file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t begin = std::min(offset, size);
  FileEvent event{.file = std::move(file), .offset = begin, .length = size - begin};
  if (const auto checked = gateway::check_sendable(event.range()); !checked) {
    return refuse(type,
                  fmt::format("a file that httpd can send, not {}", checked.error().sentence));
  }
  return event;
}

// A number of bytes that an event may leave out. False with an exception pending.
bool read_number(PyObject* event, const Ref& key, std::optional<std::uint64_t>& number) {
  const Ref value = field_of(event, key);
  if (!value) return PyErr_Occurred() == nullptr;
  if (value.get() == Py_None) return true;
  const long long given = PyLong_Check(value.get()) ? PyLong_AsLongLong(value.get()) : -1;
  if (given < 0) {
    if (PyErr_Occurred() == nullptr) {
      PyErr_Format(PyExc_ValueError,
                   "the '%U' of http.response.zerocopysend must be an int that is not negative",
                   key.get());
    }
    return false;
  }
  number = static_cast<std::uint64_t>(given);
  return true;
}

// Where Python reads next: its buffer is behind the descriptor's own position.
std::optional<std::uint64_t> position_of(Attached& py, PyObject* file, int fd) {
  const Ref told =
      PyLong_Check(file) ? Ref() : Ref::steal(PyObject_CallMethod(file, "tell", nullptr));
  const long long position =
      told && PyLong_Check(told.get()) ? PyLong_AsLongLong(told.get()) : ::lseek(fd, 0, SEEK_CUR);
  python::discard_error(py);
  if (position >= 0) return static_cast<std::uint64_t>(position);
  return std::nullopt;
}

}  // namespace

std::optional<FileEvent> path_event_of(Attached& py, const Names& names, PyObject* event) {
  constexpr char kType[] = "http.response.pathsend";
  const Ref path = field_of(event, names.path);
  if (!path && PyErr_Occurred() != nullptr) return std::nullopt;
  PyObject* encoded = nullptr;
  if (!path) return refuse(kType, "a 'path'");
  if (PyUnicode_FSConverter(path.get(), &encoded) == 0) return std::nullopt;
  const Ref bytes = Ref::steal(encoded);
  const char* const text = PyBytes_AS_STRING(bytes.get());
  if (text[0] != '/') return refuse(kType, "an absolute path");
  base::UniqueFd file;
  {
    const DetachScope detached(py);
    // Of what is no regular file, opening must not wait for another process.
    file = base::UniqueFd(::open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  }
  if (!file.valid()) {
    PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path.get());
    return std::nullopt;
  }
  return rest_of(std::move(file), 0, kType);
}

std::optional<FileEvent> file_event_of(Attached& py, const Names& names, PyObject* event) {
  constexpr char kType[] = "http.response.zerocopysend";
  const Ref file = field_of(event, names.file);
  if (!file) {
    return PyErr_Occurred() != nullptr ? std::nullopt : refuse(kType, "a 'file'");
  }
  const int fd = PyObject_AsFileDescriptor(file.get());
  std::optional<std::uint64_t> offset, count;
  if (fd < 0 || !read_number(event, names.offset, offset) ||
      !read_number(event, names.count, count)) {
    return std::nullopt;
  }
  const Ref more = field_of(event, names.more_body);
  const int is_more = more ? PyObject_IsTrue(more.get()) : 0;
  if (is_more < 0 || (!more && PyErr_Occurred() != nullptr)) return std::nullopt;
  if (!offset) offset = position_of(py, file.get(), fd);
  if (!offset) return refuse(kType, "a file that has a position, or an 'offset'");
  base::UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) {
    PyErr_SetFromErrno(PyExc_OSError);
    return std::nullopt;
  }
  auto rest = rest_of(std::move(own), *offset, kType);
  if (!rest) return std::nullopt;
  if (count) rest->length = std::min(rest->length, *count);
  rest->more = is_more != 0;
  return rest;
}

}  // namespace pyhost::asgi

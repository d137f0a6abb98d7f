#include "wsgi/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "python/error.h"
#include "python/while_request_runs.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::Ref;

constexpr std::size_t kLineChunkBytes = 8 * 1024;
// A client's Content-Length is no reason to take more memory than its bytes need.
constexpr std::size_t kFirstAllocationMax = 1 << 20;
constexpr std::size_t kUnlimited = std::numeric_limits<Py_ssize_t>::max();

struct Input {
  python::Interpreter* interpreter;
  python::SharedRequestLink link;
  Request* request;      // valid while the link is open
  std::string buffered;  // read ahead by readline()
  std::size_t position = 0;

  std::string_view left() const { return std::string_view(buffered).substr(position); }
  void consume(std::size_t bytes) {
    position += bytes;
    if (position == buffered.size()) {
      buffered.clear();
      position = 0;
    }
  }
};

PyObject* exception_type_of(gateway::BodyFault fault) {
  switch (fault) {
    case gateway::BodyFault::client_gone:
      return PyExc_ConnectionResetError;
    case gateway::BodyFault::too_slow:
      return PyExc_TimeoutError;
    default:
      return PyExc_OSError;
  }
}

enum class Fill {
  some,  // what comes first
  all,   // of what there is room for, as far as the body has it
};

// Bytes read into `into`; 0 at the end of the body, -1 with an exception pending.
Py_ssize_t fill(Attached& py, Request& request, std::span<char> into, Fill how) {
  gateway::BodyRead read;
  {
    const python::MeteredDetach detached(py, request.full_meter_or_null());
    read = request.read_body(into);
    // The lock is not asked for between one piece and the next.
    while (how == Fill::all && read.fault == gateway::BodyFault::none && read.bytes < into.size()) {
      const gateway::BodyRead more = request.read_body(into.subspan(read.bytes));
      read.fault = more.fault;
      read.bytes += more.bytes;
      if (more.bytes == 0) break;
    }
  }
  if (read.fault == gateway::BodyFault::none) return Py_ssize_t(read.bytes);
  const std::string text =
      fmt::format("mod_wsgi request data read error: {}", gateway::describe(read.fault));
  PyErr_SetString(exception_type_of(read.fault), text.c_str());
  return -1;
}

Ref take_buffered(Input& input, std::size_t bytes) {
  Ref data = Ref::steal(PyBytes_FromStringAndSize(input.left().data(), Py_ssize_t(bytes)));
  if (data) input.consume(bytes);
  return data;
}

// How much to allocate first for a read of at most `limit` bytes.
std::size_t first_allocation(const Input& input, std::size_t limit) {
  const auto announced = input.request->exchange().head().content_length;
  const std::size_t expected = announced ? std::size_t(*announced) : kLineChunkBytes;
  return std::min(limit, std::clamp(expected, input.left().size() + 1, kFirstAllocationMax));
}

Ref read_up_to(Attached& py, Input& input, std::size_t limit) {
  if (input.left().size() >= limit) return take_buffered(input, limit);
  std::size_t capacity = std::max(first_allocation(input, limit), input.left().size() + 1);
  PyObject* data = PyBytes_FromStringAndSize(nullptr, Py_ssize_t(capacity));
  if (data == nullptr) return {};
  std::size_t filled = input.left().copy(PyBytes_AS_STRING(data), capacity);
  input.consume(filled);
  while (filled < limit) {
    if (filled == capacity) {
      capacity = std::min(limit, capacity * 2);
      if (_PyBytes_Resize(&data, Py_ssize_t(capacity)) != 0) return {};
    }
    // Nobody else knows the object yet, so its bytes may be written detached.
    const Py_ssize_t count =
        fill(py, *input.request, {PyBytes_AS_STRING(data) + filled, capacity - filled}, Fill::all);
    if (count < 0) {
      Py_DECREF(data);
      return {};
    }
    if (count == 0) break;
    filled += std::size_t(count);
  }
  if (filled != capacity && _PyBytes_Resize(&data, Py_ssize_t(filled)) != 0) return {};
  return Ref::steal(data);
}

Ref read_line(Attached& py, Input& input, std::size_t limit) {
  std::size_t searched = 0;
  while (true) {
    const std::string_view left = input.left();
    const auto end = left.find('\n', searched);
    if (end != left.npos && end < limit) return take_buffered(input, end + 1);
    if (left.size() >= limit) return take_buffered(input, limit);
    searched = left.size();
    std::string chunk(kLineChunkBytes, '\0');
    const Py_ssize_t count = fill(py, *input.request, chunk, Fill::some);
    if (count < 0) return {};
    if (count == 0) return take_buffered(input, input.left().size());
    // Lines that have been read would stay as long as none ends where a chunk does.
    input.buffered.erase(0, std::exchange(input.position, 0));
    input.buffered.append(chunk, 0, std::size_t(count));
  }
}

// Calls `action` while the request lives; otherwise RuntimeError.
template <class F>
PyObject* with_request(PyObject* self, F action) {
  return python::while_request_runs<Input>(
      self, "wsgi.input was used after its request was completed", action);
}

// The optional size argument: missing, None or negative means no limit.
bool parse_limit(const char* function, PyObject* const* arguments, Py_ssize_t count,
                 std::size_t& limit) {
  limit = kUnlimited;
  if (count > 1) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most 1 argument, %zd were given", function, count);
    return false;
  }
  if (count == 0 || arguments[0] == Py_None) return true;
  const Py_ssize_t value = PyNumber_AsSsize_t(arguments[0], PyExc_OverflowError);
  if (value == -1 && PyErr_Occurred() != nullptr) return false;
  if (value >= 0) limit = std::size_t(value);
  return true;
}

PyObject* read(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return with_request(self, [&](Attached& py, Input& input) -> PyObject* {
    std::size_t limit;
    if (!parse_limit("read", arguments, count, limit)) return nullptr;
    return read_up_to(py, input, limit).release();
  });
}

PyObject* readline(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return with_request(self, [&](Attached& py, Input& input) -> PyObject* {
    std::size_t limit;
    if (!parse_limit("readline", arguments, count, limit)) return nullptr;
    return read_line(py, input, limit).release();
  });
}

PyObject* readlines(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return with_request(self, [&](Attached& py, Input& input) -> PyObject* {
    std::size_t hint;
    if (!parse_limit("readlines", arguments, count, hint)) return nullptr;
    if (hint == 0) hint = kUnlimited;  // as io.IOBase has it
    Ref lines = Ref::steal(PyList_New(0));
    for (std::size_t total = 0; lines && total < hint;) {
      const Ref line = read_line(py, input, kUnlimited);
      if (!line || PyList_Append(lines.get(), line.get()) != 0) return nullptr;
      if (PyBytes_GET_SIZE(line.get()) == 0) {
        if (PyList_SetSlice(lines.get(), PyList_GET_SIZE(lines.get()) - 1,
                            PyList_GET_SIZE(lines.get()), nullptr) != 0) {
          return nullptr;
        }
        break;
      }
      total += std::size_t(PyBytes_GET_SIZE(line.get()));
    }
    return lines.release();
  });
}

PyObject* next(PyObject* self) {
  return with_request(self, [](Attached& py, Input& input) -> PyObject* {
    Ref line = read_line(py, input, kUnlimited);
    if (line && PyBytes_GET_SIZE(line.get()) == 0) return nullptr;  // StopIteration
    return line.release();
  });
}

PyObject* iterate(PyObject* self) {
  return Py_NewRef(self);
}

PyObject* close(PyObject* self, PyObject*) {
  return with_request(self, [](Attached&, Input&) { return Py_NewRef(Py_None); });
}

PyMethodDef methods[] = {
    {"read", python::method(read), METH_FASTCALL,
     "read([size]) -> bytes\n\nUp to size bytes of the request body, or all that is left. Blocks "
     "until they are there; shorter only at the end of the body."},
    {"readline", python::method(readline), METH_FASTCALL,
     "readline([size]) -> bytes\n\nUp to the next line end, size bytes or the end of the body."},
    {"readlines", python::method(readlines), METH_FASTCALL,
     "readlines([hint]) -> list\n\nThe lines that are left, or as many as hint bytes take."},
    {"close", close, METH_NOARGS, "Does nothing: the body belongs to the server."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, python::slot(python::dealloc_native<Input>)},
                       {Py_tp_iter, python::slot(iterate)},
                       {Py_tp_iternext, python::slot(next)},
                       {Py_tp_methods, methods},
                       {0, nullptr}};

PyType_Spec spec = {"mod_wsgi.Input", sizeof(python::Native<Input>), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

base::Result<Ref> make_input_type(Attached& py) {
  return python::make_type(py, spec);
}

Ref make_input(Attached& py, PyObject* type, Request& request) {
  return python::make_native<Input>(
      type, Input{.interpreter = &py.interpreter(), .link = request.link(), .request = &request});
}

}  // namespace pyhost::wsgi

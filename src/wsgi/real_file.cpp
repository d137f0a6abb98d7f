#include "wsgi/real_file.h"

#include <sys/stat.h>

#include <climits>
#include <utility>

#include "pyhost/gateway/sendable_file.h"
#include "python/error.h"
#include "python/ref.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::Ref;

// A type of a module that is loaded; null, without an exception, when there is none.
Ref type_in(Attached& py, const char* module_name, const char* name) {
  const Ref key = Ref::steal(PyUnicode_FromString(module_name));
  const Ref module = key ? Ref::steal(PyImport_GetModule(key.get())) : Ref();
  Ref type = module ? Ref::steal(PyObject_GetAttrString(module.get(), name)) : Ref();
  if (type && PyType_Check(type.get())) return type;
  python::discard_error(py);
  return {};
}

Ref attribute_of(Attached& py, const Ref& object, const char* name) {
  Ref value = object ? Ref::steal(PyObject_GetAttrString(object.get(), name)) : Ref();
  if (!value) python::discard_error(py);
  return value;
}

bool is_exactly(const Ref& object, const Ref& type) noexcept {
  return object && type && reinterpret_cast<PyObject*>(Py_TYPE(object.get())) == type.get();
}

// The instance of `type` that `method` is bound to, if it is what the type itself, in C, has under
// that name; null otherwise.
Ref owner_of(Attached& py, const Ref& method, const Ref& type, const char* name) {
  if (!method || !type || !PyCFunction_Check(method.get())) return {};
  PyObject* self = PyCFunction_GET_SELF(method.get());
  if (self == nullptr || !PyObject_TypeCheck(self, reinterpret_cast<PyTypeObject*>(type.get()))) {
    return {};
  }
  const Ref defined = attribute_of(py, type, name);
  const bool own = defined && Py_IS_TYPE(defined.get(), &PyMethodDescr_Type) &&
                   reinterpret_cast<PyMethodDescrObject*>(defined.get())->d_method ==
                       reinterpret_cast<PyCFunctionObject*>(method.get())->m_ml;
  return own ? Ref::share(self) : Ref();
}

// What a call of filelike.read() comes to: that of the file in it where tempfile has wrapped one.
Ref read_method_of(Attached& py, const Ref& filelike) {
  if (is_exactly(filelike, type_in(py, "tempfile", "SpooledTemporaryFile"))) {
    return attribute_of(py, attribute_of(py, filelike, "_file"), "read");
  }
  Ref method = attribute_of(py, filelike, "read");
  const bool wrapped = is_exactly(filelike, type_in(py, "tempfile", "_TemporaryFileWrapper"));
  return wrapped ? attribute_of(py, method, "__wrapped__") : std::move(method);
}

// Calls the method that `type` has, whatever a class derived from it makes of the name. -1, with no
// exception left, when it gives no number.
Py_ssize_t ask_number(Attached& py, const Ref& type, const char* method, const Ref& self) {
  const Ref answer = Ref::steal(PyObject_CallMethod(type.get(), method, "O", self.get()));
  if (answer && PyLong_Check(answer.get())) {
    const Py_ssize_t number = PyLong_AsSsize_t(answer.get());
    if (number >= 0) return number;
  }
  python::discard_error(py);
  return -1;
}

// An open file as Python has it: the object next to the descriptor, and where reading goes on.
struct OpenFile {
  Ref raw;
  Py_ssize_t position;
};

// The position is Python's own: the descriptor's is ahead of it by what is buffered.
std::optional<OpenFile> behind_buffer(Attached& py, const Ref& read_method, const Ref& file_io) {
  for (const char* name : {"BufferedReader", "BufferedRandom"}) {
    const Ref type = type_in(py, "_io", name);
    const Ref buffer = owner_of(py, read_method, type, "read");
    if (!buffer) continue;
    Ref raw = attribute_of(py, buffer, "raw");
    const Ref source = owner_of(py, attribute_of(py, raw, "readinto"), file_io, "readinto");
    if (!source || source.get() != raw.get()) return std::nullopt;
    // What was written may still be in the buffer.
    if (!Ref::steal(PyObject_CallMethod(type.get(), "flush", "O", buffer.get()))) {
      python::discard_error(py);
      return std::nullopt;
    }
    return OpenFile{std::move(raw), ask_number(py, type, "tell", buffer)};
  }
  return std::nullopt;
}

std::optional<OpenFile> open_file_of(Attached& py, const Ref& filelike) {
  const Ref method = read_method_of(py, filelike);
  const Ref file_io = type_in(py, "_io", "FileIO");
  if (Ref raw = owner_of(py, method, file_io, "read")) {
    const Py_ssize_t position = ask_number(py, file_io, "tell", raw);
    return OpenFile{std::move(raw), position};
  }
  const Ref text_io = type_in(py, "_io", "TextIOWrapper");
  const Ref text = owner_of(py, method, text_io, "read");
  if (!text) return behind_buffer(py, method, file_io);
  const Py_ssize_t position = ask_number(py, text_io, "tell", text);
  const Ref read_bytes = attribute_of(py, attribute_of(py, text, "buffer"), "read");
  auto file = behind_buffer(py, read_bytes, file_io);
  if (file) file->position = position;
  return file;
}

}  // namespace

std::optional<gateway::FileRange> real_file_of(Attached& py, PyObject* filelike) {
  const auto file = open_file_of(py, Ref::share(filelike));
  if (!file) return std::nullopt;
  const Py_ssize_t fd = ask_number(py, type_in(py, "_io", "FileIO"), "fileno", file->raw);
  struct stat status {};
  if (fd < 0 || fd > INT_MAX || fstat(int(fd), &status) != 0) return std::nullopt;
  if (file->position < 0 || file->position >= status.st_size) return std::nullopt;
  const gateway::FileRange range{int(fd), std::uint64_t(file->position),
                                 std::uint64_t(status.st_size - file->position)};
  return gateway::check_sendable(range) ? std::optional(range) : std::nullopt;
}

}  // namespace pyhost::wsgi

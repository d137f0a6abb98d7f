#include "wsgi/file_wrapper.h"

#include "python/compat.h"
#include "python/native_type.h"
#include "wsgi/real_file.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::Ref;

constexpr Py_ssize_t kDefaultBlockBytes = 8192;

struct FileWrapper {
  Ref filelike;
  Py_ssize_t block_bytes;
  bool closed = false;
};

PyObject* create(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
  return python::py_entry([&]() -> PyObject* {
    static const char* const names[] = {"filelike", "blksize", nullptr};
    PyObject* filelike;
    Py_ssize_t block_bytes = kDefaultBlockBytes;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|n:FileWrapper",
                                     const_cast<char**>(names), &filelike, &block_bytes)) {
      return nullptr;
    }
    if (block_bytes < 1) {
      PyErr_SetString(PyExc_ValueError, "blksize must be positive");
      return nullptr;
    }
    return python::make_native<FileWrapper>(reinterpret_cast<PyObject*>(type),
                                            FileWrapper{Ref::share(filelike), block_bytes})
        .release();
  });
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(python::value_of<FileWrapper>(self).filelike.get());
  return 0;
}

int clear(PyObject* self) {
  python::value_of<FileWrapper>(self).filelike.reset();
  return 0;
}

PyObject* next(PyObject* self) {
  FileWrapper& wrapper = python::value_of<FileWrapper>(self);
  if (wrapper.closed) {
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    return nullptr;
  }
  Ref block =
      Ref::steal(PyObject_CallMethod(wrapper.filelike.get(), "read", "n", wrapper.block_bytes));
  if (!block) return nullptr;
  if (!PyBytes_Check(block.get())) {
    PyErr_Format(PyExc_TypeError, "the wrapped file's read() must return bytes, not %.200s",
                 Py_TYPE(block.get())->tp_name);
    return nullptr;
  }
  return PyBytes_GET_SIZE(block.get()) == 0 ? nullptr : block.release();
}

PyObject* close(PyObject* self, PyObject*) {
  FileWrapper& wrapper = python::value_of<FileWrapper>(self);
  if (wrapper.closed) Py_RETURN_NONE;
  wrapper.closed = true;
  const Ref name = Ref::steal(PyUnicode_InternFromString("close"));
  Ref function;
  if (!name || python::get_optional_attribute(wrapper.filelike.get(), name.get(), function) < 0) {
    return nullptr;
  }
  return function ? PyObject_CallNoArgs(function.get()) : Py_NewRef(Py_None);
}

PyObject* get_filelike(PyObject* self, void*) {
  return Py_NewRef(python::value_of<FileWrapper>(self).filelike.get());
}

PyObject* get_block_bytes(PyObject* self, void*) {
  return PyLong_FromSsize_t(python::value_of<FileWrapper>(self).block_bytes);
}

PyObject* iterate(PyObject* self) {
  return Py_NewRef(self);
}

PyMethodDef methods[] = {{"close", close, METH_NOARGS, "Closes the wrapped file."},
                         {nullptr, nullptr, 0, nullptr}};

PyGetSetDef attributes[] = {
    {"filelike", get_filelike, nullptr, "The wrapped file.", nullptr},
    {"blksize", get_block_bytes, nullptr, "Bytes asked of read() at a time.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

constexpr char kDoc[] =
    "FileWrapper(filelike, blksize=8192)\n--\n\nAn iterable over the blocks of a file; httpd sends "
    "a "
    "regular file itself.";

PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>(kDoc)},
                       {Py_tp_new, python::slot(create)},
                       {Py_tp_dealloc, python::slot(python::dealloc_native<FileWrapper>)},
                       {Py_tp_traverse, python::slot(traverse)},
                       {Py_tp_clear, python::slot(clear)},
                       {Py_tp_iter, python::slot(iterate)},
                       {Py_tp_iternext, python::slot(next)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, attributes},
                       {0, nullptr}};

PyType_Spec spec = {"mod_wsgi.FileWrapper", sizeof(python::Native<FileWrapper>), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

base::Result<Ref> make_file_wrapper_type(Attached& py) {
  return python::make_type(py, spec);
}

std::optional<gateway::FileRange> file_range_of(Attached& py, PyObject* file_wrapper) {
  // A class derived from it may make other blocks.
  const PyTypeObject* type = Py_TYPE(file_wrapper);
  if (type->tp_iter != iterate || type->tp_iternext != next) return std::nullopt;
  const FileWrapper& wrapper = python::value_of<FileWrapper>(file_wrapper);
  if (wrapper.closed || !wrapper.filelike) return std::nullopt;
  const Ref filelike = wrapper.filelike.clone();
  return real_file_of(py, filelike.get());
}

}  // namespace pyhost::wsgi

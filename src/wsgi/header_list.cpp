#include "wsgi/header_list.h"

namespace pyhost::wsgi {

using python::Ref;

void refuse_as_latin1(PyObject* text, const char* what) {
  if (PyUnicode_Check(text)) {
    Ref::steal(PyUnicode_AsLatin1String(text));  // raises the UnicodeEncodeError
  } else {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(text)->tp_name);
  }
}

bool check_header_list(PyObject* headers) {
  if (PyList_Check(headers)) return true;
  PyErr_Format(PyExc_TypeError, "the response headers must be a list, not %.200s",
               Py_TYPE(headers)->tp_name);
  return false;
}

void refuse_as_header(PyObject* item) {
  if (!PyTuple_Check(item)) {
    PyErr_Format(PyExc_TypeError, "a response header must be a tuple (name, value), not %.200s",
                 Py_TYPE(item)->tp_name);
  } else {
    PyErr_Format(PyExc_ValueError,
                 "a response header must be a tuple (name, value), not of %zd items",
                 PyTuple_GET_SIZE(item));
  }
}

bool raise_if_failed(const base::Result<>& result) {
  if (result) return false;
  PyErr_SetString(PyExc_ValueError, result.error().sentence.c_str());
  return true;
}

}  // namespace pyhost::wsgi

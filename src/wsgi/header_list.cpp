#include "wsgi/header_list.h"

namespace pyhost::wsgi {

using python::Ref;

std::optional<std::string_view> latin1_of(PyObject* text, const char* what) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(text)->tp_name);
    return std::nullopt;
  }
  if (PyUnicode_READY(text) != 0) return std::nullopt;
  if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
    Ref::steal(PyUnicode_AsLatin1String(text));  // raises the UnicodeEncodeError
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
                          std::size_t(PyUnicode_GET_LENGTH(text)));
}

bool check_header_list(PyObject* headers) {
  if (PyList_Check(headers)) return true;
  PyErr_Format(PyExc_TypeError, "the response headers must be a list, not %.200s",
               Py_TYPE(headers)->tp_name);
  return false;
}

std::optional<HeaderTexts> header_of(PyObject* item) {
  if (!PyTuple_Check(item)) {
    PyErr_Format(PyExc_TypeError, "a response header must be a tuple (name, value), not %.200s",
                 Py_TYPE(item)->tp_name);
    return std::nullopt;
  }
  if (PyTuple_GET_SIZE(item) != 2) {
    PyErr_Format(PyExc_ValueError,
                 "a response header must be a tuple (name, value), not of %zd items",
                 PyTuple_GET_SIZE(item));
    return std::nullopt;
  }
  const auto name = latin1_of(PyTuple_GET_ITEM(item, 0), "a response header's name");
  if (!name) return std::nullopt;
  const auto value = latin1_of(PyTuple_GET_ITEM(item, 1), "a response header's value");
  if (!value) return std::nullopt;
  return HeaderTexts{*name, *value};
}

bool raise_if_failed(const base::Result<>& result) {
  if (result) return false;
  PyErr_SetString(PyExc_ValueError, result.error().sentence.c_str());
  return true;
}

}  // namespace pyhost::wsgi

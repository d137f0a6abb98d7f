// Headers as applications pass them: a list of (name, value).
#pragma once

#include <optional>
#include <string_view>

#include "pyhost/base/result.h"
#include "python/python.h"
#include "python/ref.h"

namespace pyhost::wsgi {

// Raises why a text has no Latin-1 bytes.
void refuse_as_latin1(PyObject* text, const char* what);

// The Latin-1 bytes of a str (PEP 3333, native strings), as long as that lives; nothing with an
// exception pending.
inline std::optional<std::string_view> latin1_of(PyObject* text, const char* what) {
  if (!PyUnicode_Check(text) || PyUnicode_READY(text) != 0 ||
      PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
    refuse_as_latin1(text, what);
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
                          std::size_t(PyUnicode_GET_LENGTH(text)));
}

// Whether it is one; false with TypeError pending.
bool check_header_list(PyObject* headers);

// Raises why an item of it is no header.
void refuse_as_header(PyObject* item);

// Of one of its items; nothing with an exception pending.
struct HeaderTexts {
  std::string_view name;
  std::string_view value;
};
inline std::optional<HeaderTexts> header_of(PyObject* item) {
  if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
    refuse_as_header(item);
    return std::nullopt;
  }
  const auto name = latin1_of(PyTuple_GET_ITEM(item, 0), "a response header's name");
  if (!name) return std::nullopt;
  const auto value = latin1_of(PyTuple_GET_ITEM(item, 1), "a response header's value");
  if (!value) return std::nullopt;
  return HeaderTexts{*name, *value};
}

// Whether it has failed, with ValueError pending then.
bool raise_if_failed(const base::Result<>& result);

// Calls `take(name, value)` for each until that gives false. False with an exception pending, its
// own or that of a list that is none.
template <class F>
bool for_each_header(PyObject* headers, F take) {
  if (!check_header_list(headers)) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    const python::Ref item = python::Ref::share(PyList_GET_ITEM(headers, i));
    const auto header = header_of(item.get());
    if (!header || !take(header->name, header->value)) return false;
  }
  return true;
}

}  // namespace pyhost::wsgi

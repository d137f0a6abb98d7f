// Headers as applications pass them: a list of (name, value).
#pragma once

#include <optional>
#include <string_view>

#include "pyhost/base/result.h"
#include "python/python.h"
#include "python/ref.h"

namespace pyhost::wsgi {

// The Latin-1 bytes of a str (PEP 3333, native strings), as long as that lives; nothing with an
// exception pending.
std::optional<std::string_view> latin1_of(PyObject* text, const char* what);

// Whether it is one; false with TypeError pending.
bool check_header_list(PyObject* headers);

// Of one of its items; nothing with an exception pending.
struct HeaderTexts {
  std::string_view name;
  std::string_view value;
};
std::optional<HeaderTexts> header_of(PyObject* item);

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

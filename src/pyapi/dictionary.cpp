#include "pyapi/dictionary.h"

#include <utility>

namespace pyhost::pyapi {

using python::Ref;

void Dictionary::set(const char* key, Ref value_or_null) noexcept {
  if (!dict_) return;
  const Ref value = std::move(value_or_null);
  if (!value || PyDict_SetItemString(dict_.get(), key, value.get()) != 0) dict_.reset();
}

void Dictionary::set(const char* key, std::string_view latin1) noexcept {
  if (!dict_) return;
  set(key, Ref::steal(PyUnicode_DecodeLatin1(latin1.data(), Py_ssize_t(latin1.size()), nullptr)));
}

void Dictionary::set(const char* key, double value) noexcept {
  if (dict_) set(key, Ref::steal(PyFloat_FromDouble(value)));
}

}  // namespace pyhost::pyapi

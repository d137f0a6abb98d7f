// A dict that is made key by key.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "python/ref.h"

namespace pyhost::pyapi {

// What cannot be made leaves none, and an exception pending; what comes behind that is passed over.
class Dictionary {
 public:
  Dictionary() noexcept : dict_(python::Ref::steal(PyDict_New())) {}

  void set(const char* key, python::Ref value_or_null) noexcept;
  void set(const char* key, std::string_view latin1) noexcept;
  void set(const char* key, double value) noexcept;
  template <std::signed_integral T>
  void set(const char* key, T value) noexcept {
    if (dict_) set(key, python::Ref::steal(PyLong_FromLongLong(value)));
  }
  template <std::unsigned_integral T>
  void set(const char* key, T value) noexcept {
    if (dict_) set(key, python::Ref::steal(PyLong_FromUnsignedLongLong(value)));
  }

  // Null, with an exception pending, when a part of it could not be made.
  PyObject* get() const noexcept { return dict_.get(); }
  python::Ref take() noexcept { return std::move(dict_); }

 private:
  python::Ref dict_;
};

}  // namespace pyhost::pyapi

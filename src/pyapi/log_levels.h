// The levels of Python's `logging` as httpd's.
#pragma once

#include <optional>

#include "pyhost/base/log.h"
#include "python/python.h"

namespace pyhost::pyapi {

inline constexpr long kLoggingInfo = 20;

// CRITICAL and above is crit, ERROR error, WARNING warn, INFO info; what is below is debug. Nothing
// with an exception pending, for what is no number.
inline std::optional<base::LogLevel> level_of(PyObject* value) {
  constexpr long kCritical = 50, kError = 40, kWarning = 30;
  const long number = PyLong_AsLong(value);
  if (number == -1 && PyErr_Occurred() != nullptr) return std::nullopt;
  if (number >= kCritical) return base::LogLevel::crit;
  if (number >= kError) return base::LogLevel::error;
  if (number >= kWarning) return base::LogLevel::warn;
  return number >= kLoggingInfo ? base::LogLevel::info : base::LogLevel::debug;
}

}  // namespace pyhost::pyapi

#include "python/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "python/compat.h"

namespace pyhost::python {
namespace {

// What CPython, Cython, PyO3 and numpy say when a module is imported where it cannot work.
constexpr auto kSubinterpreterPhrases = std::to_array<std::string_view>({
    "does not support loading in subinterpreters",
    "Interpreter change detected",
    "do not yet support subinterpreters",
    "may only be initialized once per interpreter process",
    "cannot load module more than once per process",
    "CPU dispatcher tracer already initlized",
    "fork not supported for subinterpreters",
    "fork not supported for isolated subinterpreters",
});

bool speaks_of_subinterpreters(std::string_view text) {
  return std::ranges::any_of(kSubinterpreterPhrases, [&](std::string_view phrase) {
    return text.find(phrase) != text.npos;
  });
}

}  // namespace

PythonError PythonError::take(Attached&) {
  assert(PyErr_Occurred() != nullptr);
  return PythonError(take_raised_exception());
}

std::string to_utf8(Attached& py, PyObject* text) {
  Py_ssize_t size = 0;
  if (const char* data = PyUnicode_AsUTF8AndSize(text, &size)) return {data, std::size_t(size)};
  discard_error(py);
  const Ref bytes = Ref::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
  if (!bytes) {
    discard_error(py);
    return "(text that cannot be encoded)";
  }
  return {PyBytes_AS_STRING(bytes.get()), std::size_t(PyBytes_GET_SIZE(bytes.get()))};
}

std::string describe(Attached& py, PyObject* object) {
  const Ref text = Ref::steal(PyObject_Str(object));
  if (text) return to_utf8(py, text.get());
  discard_error(py);
  return "(cannot be printed)";
}

void discard_error(Attached&) noexcept {
  PyErr_Clear();
}

std::string PythonError::summary(Attached& py) const {
  std::string name = Py_TYPE(value_.get())->tp_name;
  std::string text = describe(py, value_.get());
  text = text.substr(0, text.find('\n'));
  return text.empty() ? name : fmt::format("{}: {}", name, text);
}

std::string PythonError::traceback(Attached& py) const {
  if (PyObject* support = py.interpreter().support()) {
    const Ref text =
        Ref::steal(PyObject_CallMethod(support, "format_exception", "O", value_.get()));
    if (text && PyUnicode_Check(text.get())) return to_utf8(py, text.get());
    discard_error(py);
  }
  return summary(py);
}

std::string PythonError::advice(Attached& py, PyObject* application_or_null) const {
  PyObject* const application = application_or_null != nullptr ? application_or_null : Py_None;
  const Ref text = Ref::steal(PyObject_CallMethod(py.interpreter().support(), "advice_on", "OO",
                                                  value_.get(), application));
  const std::string sentence = text && PyUnicode_Check(text.get()) ? to_utf8(py, text.get()) : "";
  discard_error(py);
  return sentence.empty() ? "" : ": " + sentence;
}

bool PythonError::refuses_subinterpreters(Attached& py) const {
  constexpr int kChainMax = 20;
  Ref exception = value_.clone();
  for (int depth = 0; exception && depth < kChainMax; ++depth) {
    if (speaks_of_subinterpreters(describe(py, exception.get()))) return true;
    Ref cause = Ref::steal(PyException_GetCause(exception.get()));
    exception = cause ? std::move(cause) : Ref::steal(PyException_GetContext(exception.get()));
  }
  return false;
}

std::string advice_on_refusal(std::string_view what, const Interpreter& interpreter) {
  const bool own_lock = interpreter.lock() == InterpreterLock::own;
  return fmt::format(
      "{} needs a module that does not work in a sub-interpreter{}; set {}"
      "WSGIApplicationGroup %{{GLOBAL}} for it",
      what, own_lock ? " with a lock of its own" : "",
      own_lock ? "WSGIPerInterpreterGIL Off or " : "");
}

void PythonError::restore(Attached&) && {
  raise_exception(std::move(value_));
}

}  // namespace pyhost::python

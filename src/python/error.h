// A Python exception as a value.
#pragma once

#include <string>

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// An exception taken at the call that raised it. Belongs to its interpreter.
class PythonError {
 public:
  // PRECONDITION: an exception is pending. Leaves none pending.
  static PythonError take(Attached& py);

  PyObject* value() const noexcept { return value_.get(); }
  bool is(PyObject* type) const noexcept {
    return PyErr_GivenExceptionMatches(value_.get(), type) != 0;
  }

  // "ValueError: text", one line. Never fails: an exception that cannot be printed says so.
  std::string summary(Attached& py) const;
  // What `traceback.format_exception` prints, causes and contexts included, without the last
  // line end. Runs Python code of the exception's classes.
  std::string traceback(Attached& py) const;
  // ": " and a sentence with what it means and what to do, when that is known; "" otherwise. Of one
  // that the call of an application has raised, that application; otherwise null. Imports what it
  // needs for it.
  std::string advice(Attached& py, PyObject* application_or_null = nullptr) const;
  // Whether it, or an exception it was raised from, says that a module cannot be used in a
  // sub-interpreter.
  bool refuses_subinterpreters(Attached& py) const;

  // Makes it the pending exception again.
  void restore(Attached& py) &&;

 private:
  explicit PythonError(Ref value) noexcept : value_(std::move(value)) {}

  Ref value_;
};

// A str as UTF-8; what UTF-8 cannot carry (lone surrogates) is written as \udcXX.
std::string to_utf8(Attached& py, PyObject* text);

// What to do about one that refuses_subinterpreters(); `what` has met it in that interpreter.
std::string advice_on_refusal(std::string_view what, const Interpreter& interpreter);

// str(object) as UTF-8, or a phrase that says it cannot be printed. Leaves no exception pending.
std::string describe(Attached& py, PyObject* object);

// Drops the pending exception, if any: for errors that change nothing.
void discard_error(Attached& py) noexcept;

}  // namespace pyhost::python

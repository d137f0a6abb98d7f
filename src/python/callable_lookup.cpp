#include "python/callable_lookup.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "pyhost/gateway/factory.h"
#include "python/compat.h"
#include "python/error.h"
#include "python/script_source.h"

namespace pyhost::python {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Target;

// A module may make it when it is asked for (PEP 562), and fail.
void report_broken_callable(Attached& py, const Target& target, base::LogSink& log,
                            std::string& failure) {
  const PythonError error = PythonError::take(py);
  failure = fmt::format("{} failed to provide '{}': {}", phrase_of(target), target.callable,
                        error.summary(py));
  const std::string text = fmt::format("{}\n{}", failure, error.traceback(py));
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::script_raised, text);
}

std::string_view name_in_module(const Target& target) {
  return gateway::is_factory(target.callable) ? gateway::function_of(target.callable)
                                              : target.callable;
}

// Null with an exception pending when looking has failed, and without one when there is none.
Ref attribute_in(PyObject* module, std::string_view dotted) {
  Ref found = Ref::share(module);
  while (found && !dotted.empty()) {
    const auto dot = dotted.find('.');
    const std::string_view name = dotted.substr(0, dot);
    dotted = dot == dotted.npos ? std::string_view() : dotted.substr(dot + 1);
    const Ref attribute =
        Ref::steal(PyUnicode_FromStringAndSize(name.data(), Py_ssize_t(name.size())));
    const Ref holder = std::move(found);
    if (!attribute || get_optional_attribute(holder.get(), attribute.get(), found) < 0) return {};
  }
  return found;
}

}  // namespace

Ref callable_in(Attached& py, PyObject* module, const Target& target, base::LogSink& log,
                std::string& failure) {
  Ref found = attribute_in(module, name_in_module(target));
  if (!found && PyErr_Occurred() != nullptr) {
    report_broken_callable(py, target, log, failure);
    return {};
  }
  if (found && PyCallable_Check(found.get())) return found;

  const Ref defined =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "callables_of", "O", module));
  const std::string names = defined ? to_utf8(py, defined.get()) : std::string();
  if (!defined) discard_error(py);
  failure = fmt::format(
      "{} {} '{}'; {}", phrase_of(target), found ? "has no callable" : "does not define",
      name_in_module(target),
      names.empty() ? "it defines no callable at all" : "the callables it defines are: " + names);
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::callable_missing, failure);
  return {};
}

Ref application_made_by(Attached& py, PyObject* module, const Target& target) {
  const Ref function = attribute_in(module, name_in_module(target));
  if (!function || !PyCallable_Check(function.get())) return {};
  Ref made = Ref::steal(PyObject_CallNoArgs(function.get()));
  if (!made || PyCallable_Check(made.get())) return made;
  const std::string what = describe(py, reinterpret_cast<PyObject*>(Py_TYPE(made.get())));
  const std::string text = fmt::format("it has returned no application but a {}", what);
  PyErr_SetString(PyExc_TypeError, text.c_str());
  return {};
}

}  // namespace pyhost::python

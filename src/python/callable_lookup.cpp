#include "python/callable_lookup.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

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

}  // namespace

Ref callable_in(Attached& py, PyObject* module, const Target& target, base::LogSink& log,
                std::string& failure) {
  Ref found = Ref::share(module);
  for (std::string_view rest = target.callable; found && !rest.empty();) {
    const auto dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
    const Ref attribute =
        Ref::steal(PyUnicode_FromStringAndSize(name.data(), Py_ssize_t(name.size())));
    const Ref holder = std::move(found);
    if (!attribute || get_optional_attribute(holder.get(), attribute.get(), found) < 0) {
      report_broken_callable(py, target, log, failure);
      return {};
    }
  }
  if (found && PyCallable_Check(found.get())) return found;

  const Ref defined =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "callables_of", "O", module));
  const std::string names = defined ? to_utf8(py, defined.get()) : std::string();
  if (!defined) discard_error(py);
  failure = fmt::format(
      "{} {} '{}'; {}", phrase_of(target), found ? "has no callable" : "does not define",
      target.callable,
      names.empty() ? "it defines no callable at all" : "the callables it defines are: " + names);
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::callable_missing, failure);
  return {};
}

}  // namespace pyhost::python

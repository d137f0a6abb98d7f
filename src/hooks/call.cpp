#include "hooks/call.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hooks/answers.h"
#include "pyhost/gateway/http_status.h"
#include "python/compat.h"
#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::hooks {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Answer;
using gateway::AskResult;
using gateway::Outcome;
using gateway::QuestionKind;
using python::Attached;
using python::DetachScope;
using python::PythonError;
using python::Ref;

AskResult refused(int status) {
  return tl::unexpected(Outcome{Outcome::Kind::refused, status});
}

void log_detached(Attached& py, const Call& call, Message message, const std::string& text) {
  const DetachScope detached(py);
  call.caller.log(LogLevel::error, message, text);
}

// What clients send in any bytes: browsers send UTF-8, and old ones Latin-1.
Ref text_of(std::string_view bytes) {
  const auto size = Py_ssize_t(bytes.size());
  Ref text = Ref::steal(PyUnicode_DecodeUTF8(bytes.data(), size, nullptr));
  if (text || PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) == 0) return text;
  PyErr_Clear();
  return Ref::steal(PyUnicode_DecodeLatin1(bytes.data(), size, nullptr));
}

// Null with an exception pending, or without one when the script does not define it.
Ref function_in(PyObject* module, std::string_view name) {
  const Ref key = Ref::steal(PyUnicode_FromStringAndSize(name.data(), Py_ssize_t(name.size())));
  Ref function;
  if (!key || python::get_optional_attribute(module, key.get(), function) < 0) return {};
  return function && PyCallable_Check(function.get()) ? std::move(function) : Ref();
}

Message missing_message(QuestionKind question) noexcept {
  switch (question) {
    case QuestionKind::password:
      return Message::password_function_missing;
    case QuestionKind::realm_hash:
      return Message::realm_hash_function_missing;
    case QuestionKind::groups:
      return Message::groups_function_missing;
    case QuestionKind::access:
    case QuestionKind::authn:
    case QuestionKind::dispatch:
      break;
  }
  return Message::hook_function_missing;
}

AskResult fail_missing(Attached& py, const Call& call, std::string_view function) {
  log_detached(
      py, call, missing_message(call.question.kind),
      fmt::format("{} does not define the function {}(); define it", call.target.script, function));
  return refused(gateway::kInternalServerError);
}

AskResult fail_no_answer(Attached& py, const Call& call, std::string_view function,
                         const NoAnswer& why) {
  log_detached(py, call, why.message,
               fmt::format("{}() of {} returned {}", function, call.target.script, why.what));
  return refused(gateway::kInternalServerError);
}

// The traceback has no values of variables, so no password.
AskResult fail_raised(Attached& py, const Call& call, std::string_view function) {
  const PythonError error = PythonError::take(py);
  const bool interrupted = error.is(call.request_timeout);
  if (interrupted) {
    log_detached(
        py, call, Message::hook_timeout,
        fmt::format("{}() of {} ended because it was interrupted", function, call.target.script));
    return refused(gateway::kServiceUnavailable);
  }
  const Message message =
      error.is(PyExc_SystemExit) ? Message::application_exited : Message::application_raised;
  log_detached(py, call, message,
               fmt::format("{}() of {} raised {} (in {}){}\n{}", function, call.target.script,
                           error.summary(py), py.interpreter().phrase(), error.advice(py),
                           error.traceback(py)));
  return refused(gateway::kInternalServerError);
}

Ref make_environ(Attached& py, wsgi::EnvironFactory& environs, const Call& call) {
  if (call.errors == nullptr) return Ref::steal(PyErr_NoMemory());
  Ref environ = environs.build(py, call.question.head, base::now_us());
  if (!environ || !environs.add_errors_only(py, environ.get(), call.errors)) return {};
  return environ;
}

// Null with an exception pending.
Ref call_function(PyObject* function, PyObject* environ, const gateway::Question& question) {
  std::vector<Ref> arguments;
  arguments.push_back(Ref::share(environ));
  const auto add = [&](std::string_view bytes) {
    arguments.push_back(text_of(bytes));
    return bool(arguments.back());
  };
  const bool with_secret =
      question.kind == QuestionKind::password || question.kind == QuestionKind::realm_hash;
  if (question.kind != QuestionKind::authn && !add(question.subject)) return {};
  if (with_secret && !add(question.secret)) return {};
  std::array<PyObject*, 3> pointers{};
  for (std::size_t i = 0; i < arguments.size(); ++i) pointers[i] = arguments[i].get();
  return Ref::steal(PyObject_Vectorcall(function, pointers.data(), arguments.size(), nullptr));
}

AskResult ask_one(Attached& py, PyObject* module, PyObject* environ, const Call& call) {
  const std::string_view own = call.target.callable;
  const std::string_view name = own.empty() ? function_of(call.question.kind) : own;
  const Ref function = function_in(module, name);
  if (!function && PyErr_Occurred() != nullptr) return fail_raised(py, call, name);
  if (!function) return fail_missing(py, call, name);
  const Ref returned = call_function(function.get(), environ, call.question);
  if (!returned) return fail_raised(py, call, name);
  auto answer = answer_of(py, call.question.kind, returned.get());
  if (!answer) return fail_no_answer(py, call, name, answer.error());
  return *std::move(answer);
}

// Those of the functions that there are, each with the same environ.
AskResult ask_where_to(Attached& py, PyObject* module, PyObject* environ, const Call& call) {
  constexpr std::array<std::string_view, gateway::kDispatchItems> kFunctions{
      "process_group", "application_group", "callable_object"};
  Answer answer{.kind = Answer::Kind::items};
  for (const std::string_view name : kFunctions) {
    auto& item = answer.items.emplace_back();
    const Ref function = function_in(module, name);
    if (!function && PyErr_Occurred() != nullptr) return fail_raised(py, call, name);
    if (!function) continue;
    const Ref returned = Ref::steal(PyObject_CallOneArg(function.get(), environ));
    if (!returned) return fail_raised(py, call, name);
    auto chosen = name_of(py, returned.get());
    if (!chosen) return fail_no_answer(py, call, name, chosen.error());
    item = *std::move(chosen);
  }
  if (const auto checked = gateway::check_answer(QuestionKind::dispatch, answer); !checked) {
    return fail_no_answer(py, call, "a function",
                          {Message::hook_answer_unknown, checked.error().sentence});
  }
  return answer;
}

}  // namespace

AskResult call(Attached& py, wsgi::EnvironFactory& environs, PyObject* module, const Call& call) {
  const Ref environ = python::py_entry(Ref(), [&] { return make_environ(py, environs, call); });
  if (!environ) return fail_raised(py, call, "the environ");
  return call.question.kind == QuestionKind::dispatch
             ? ask_where_to(py, module, environ.get(), call)
             : ask_one(py, module, environ.get(), call);
}

}  // namespace pyhost::hooks

#include "wsgi/failure_report.h"

#include <fmt/format.h>

#include "base/out_of_memory.h"
#include "pyhost/gateway/http_status.h"
#include "python/error.h"

namespace pyhost::wsgi {
namespace {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::DetachScope;
using python::PythonError;

void log_detached(Attached& py, Request& request, LogLevel level, Message message,
                  std::string_view text) {
  const DetachScope detached(py);
  request.exchange().log(level, message, text);
}

void advise_on_subinterpreters(Attached& py, Request& request, const PythonError& error) {
  if (py.interpreter().is_main() || !error.refuses_subinterpreters(py)) return;
  log_detached(py, request, LogLevel::error, Message::subinterpreter_import,
               python::advice_on_refusal(request.target().script, py.interpreter()));
}

void log_failure(Attached& py, Request& request, const PythonError& error,
                 PyObject* application_or_null) {
  const std::string summary = error.summary(py);
  if (request.body_fault() != gateway::BodyFault::none) {
    log_detached(py, request, LogLevel::info, Message::client_fault,
                 fmt::format("{}; {} raised {}", gateway::describe(request.body_fault()),
                             request.target().script, summary));
    return;
  }
  const Message message =
      error.is(PyExc_SystemExit) ? Message::application_exited : Message::application_raised;
  log_detached(py, request, LogLevel::error, message,
               fmt::format("{} raised {} (in {}){}\n{}", request.target().script, summary,
                           py.interpreter().phrase(), error.advice(py, application_or_null),
                           error.traceback(py)));
  advise_on_subinterpreters(py, request, error);
}

template <class Log>
void log_or_say_why_not(Attached& py, Request& request, Log&& log) {
  base::unless_out_of_memory(log, [&] {
    python::discard_error(py);
    log_detached(py, request, LogLevel::error, Message::memory_exhausted,
                 "a request has failed, and there is no memory left for its traceback");
  });
}

}  // namespace

void report_failure(Attached& py, Request& request, PyObject* request_timeout,
                    PyObject* application_or_null) {
  const PythonError error = PythonError::take(py);
  const bool interrupted = error.is(request_timeout);
  if (interrupted) {
    request.fail(gateway::kGatewayTimeout, gateway::FailureCause::request_timeout);
  } else {
    request.fail(gateway::kInternalServerError, gateway::FailureCause::exception);
  }
  log_or_say_why_not(py, request, [&] {
    if (interrupted) {
      log_detached(py, request, LogLevel::info, Message::run_interrupted,
                   fmt::format("{} ended because it was interrupted", request.target().script));
    } else {
      log_failure(py, request, error, application_or_null);
    }
  });
  if (!interrupted) request.tell_failure(py, error);
}

void report_close_failure(Attached& py, Request& request, PyObject* request_timeout) {
  const PythonError error = PythonError::take(py);
  log_or_say_why_not(py, request, [&] {
    log_detached(py, request, LogLevel::error, Message::close_failed,
                 fmt::format("close() of the response of {} raised {}\n{}", request.target().script,
                             error.summary(py), error.traceback(py)));
  });
  if (!error.is(request_timeout)) request.tell_failure(py, error);
}

}  // namespace pyhost::wsgi

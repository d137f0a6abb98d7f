// How an exchange ends: what its task has come to, what is logged of it, and what the client gets.

#include <fmt/format.h>

#include <utility>

#include "asgi/http_exchange.h"
#include "base/out_of_memory.h"
#include "pyhost/gateway/http_status.h"
#include "python/compat.h"
#include "python/error.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::FailureCause;
using gateway::Outcome;
using python::Attached;
using python::DetachScope;
using python::PythonError;
using python::Ref;

void HttpExchange::task_has_ended(Attached& py, PyObject* task) {
  // Raises what the task has raised, CancelledError included.
  const Ref result = Ref::steal(PyObject_CallMethodNoArgs(task, parts_.result.get()));
  finish(py, result ? outcome_of_return(py, result.get()) : outcome_of_failure(py));
}

Outcome HttpExchange::failed(int status, FailureCause cause) const noexcept {
  switch (reply_.ending()) {
    case ReplyCourse::Ending::complete:
      break;
    case ReplyCourse::Ending::unanswered:
      return {.kind = Outcome::Kind::refused, .status = status, .failure = cause};
    case ReplyCourse::Ending::broken:
      return {.kind = Outcome::Kind::broken, .failure = cause};
  }
  return {};
}

Outcome HttpExchange::outcome_of_return(Attached& py, PyObject* result) {
  if (result != Py_None) {
    log_detached(py, LogLevel::error, Message::reply_incomplete,
                 fmt::format("{} has returned a {}; an ASGI application returns None",
                             channel_or_null_->target().script, Py_TYPE(result)->tp_name));
  }
  if (gone_) return {};
  if (reply_.ending() != ReplyCourse::Ending::complete) {
    log_detached(py, LogLevel::error, Message::reply_incomplete,
                 fmt::format("{} has returned {}", channel_or_null_->target().script,
                             committed() ? "before the end of its reply's body"
                                         : "without having sent a reply"));
  }
  return failed(gateway::kInternalServerError, FailureCause::reply_invalid);
}

Outcome HttpExchange::cancelled() const noexcept {
  return cancelling_ == Cancelling::timeout
             ? failed(gateway::kGatewayTimeout, FailureCause::request_timeout)
             : failed(gateway::kServiceUnavailable, FailureCause::drain_timeout);
}

// PRECONDITION: its exception is pending.
Outcome HttpExchange::outcome_of_failure(Attached& py) {
  const PythonError error = PythonError::take(py);
  if (cancelling_ != Cancelling::no && error.is(parts_.cancelled_error.get())) {
    base::if_memory_allows([&] {
      log_detached(
          py, LogLevel::info, Message::run_interrupted,
          fmt::format("{} ended because it was cancelled", channel_or_null_->target().script));
    });
    return gone_ ? Outcome{} : cancelled();
  }
  const BodyFault fault = receiving_.fault();
  base::unless_out_of_memory([&] { log_failure(py, error); }, [&] { python::discard_error(py); });
  if (gone_) return {};
  if (cancelling_ != Cancelling::no) return cancelled();
  if (fault != BodyFault::none) return failed(gateway::status_of(fault), FailureCause::upload);
  return failed(gateway::kInternalServerError, FailureCause::exception);
}

// One record, with the traceback.
void HttpExchange::log_failure(Attached& py, const PythonError& error) const {
  const std::string summary = error.summary(py);
  const std::string_view script = channel_or_null_->target().script;
  const BodyFault fault = receiving_.fault();
  if (fault != BodyFault::none) {
    log_detached(py, LogLevel::info, Message::client_fault,
                 fmt::format("{}; {} raised {}", gateway::describe(fault), script, summary));
    return;
  }
  const Message message =
      error.is(PyExc_SystemExit) ? Message::application_exited : Message::application_raised;
  log_detached(py, LogLevel::error, message,
               fmt::format("{} raised {} (in {}){}\n{}", script, summary, py.interpreter().phrase(),
                           error.advice(py), error.traceback(py)));
}

void HttpExchange::log_detached(Attached& py, LogLevel level, Message message,
                                std::string_view text) const {
  const DetachScope detached(py);
  channel_or_null_->log(level, message, text);
}

gateway::RunFigures HttpExchange::figures() const noexcept {
  return {.application =
              std::chrono::duration_cast<std::chrono::microseconds>(base::Clock::now() - began_)};
}

void HttpExchange::finish(Attached& py, const Outcome& outcome) {
  const std::shared_ptr<HttpExchange> self = shared_from_this();
  task_.reset();
  parts_.streams.give_back(py, std::move(stream_));
  stream_ = {};
  data_.end(py);
  const bool is_used = link_->close();
  Outcome told = outcome;
  told.figures = figures();
  {
    const DetachScope detached(py);
    if (is_used) link_->wait_for_uses();
    logs_.flush();
    channel_or_null_->finish(told);
  }
  channel_or_null_ = nullptr;
  receiving_.replied();
  waiters_.wake(py, parts_);
  host_.exchange_over(py, *this);
}

}  // namespace pyhost::asgi

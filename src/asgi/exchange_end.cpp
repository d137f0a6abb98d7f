// How an exchange ends: what its task has come to, what is logged of it, and what the client gets.

#include <fmt/format.h>

#include <utility>

#include "asgi/exchange.h"
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

void Exchange::task_has_ended(Attached& py, PyObject* task) {
  // Raises what the task has raised, CancelledError included.
  const Ref result = Ref::steal(PyObject_CallMethodNoArgs(task, parts_.result.get()));
  if (!result) return end_by_exception(py);
  end(py, TaskEnd::returned, outcome_of_return(py, result.get()));
}

// PRECONDITION: its exception is pending.
void Exchange::end_by_exception(Attached& py) {
  const PythonError error = PythonError::take(py);
  const bool is_cancelled = cancelling_ != Cancelling::no && error.is(parts_.cancelled_error.get());
  const Outcome outcome = outcome_of_failure(py, error);
  end(py, is_cancelled ? TaskEnd::cancelled : TaskEnd::raised, outcome);
}

Outcome Exchange::failed(int status, FailureCause cause) const noexcept {
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

Outcome Exchange::outcome_of_return(Attached& py, PyObject* result) {
  if (result != Py_None) {
    log_detached(py, LogLevel::error, Message::reply_incomplete,
                 fmt::format("{} has returned a {}; an ASGI application returns None",
                             channel_or_null_->target().script, Py_TYPE(result)->tp_name));
  }
  Outcome outcome = failed(gateway::kInternalServerError, FailureCause::reply_invalid);
  if (gone_ || outcome.kind == Outcome::Kind::complete) return {};
  log_detached(py, LogLevel::error, Message::reply_incomplete,
               fmt::format("{} has returned {}", channel_or_null_->target().script,
                           committed() ? "before the end of its reply's body"
                                       : "without having sent a reply"));
  return outcome;
}

Outcome Exchange::cancelled() const noexcept {
  return cancelling_ == Cancelling::timeout
             ? failed(gateway::kGatewayTimeout, FailureCause::request_timeout)
             : failed(gateway::kServiceUnavailable, FailureCause::drain_timeout);
}

Outcome Exchange::outcome_of_failure(Attached& py, const PythonError& error) {
  if (cancelling_ != Cancelling::no && error.is(parts_.cancelled_error.get())) {
    base::if_memory_allows([&] {
      log_detached(
          py, LogLevel::info, Message::run_interrupted,
          fmt::format("{} ended because it was cancelled", channel_or_null_->target().script));
    });
    return gone_ ? Outcome{} : cancelled();
  }
  const BodyFault fault = body_fault();
  if (!is_told_by(error)) {
    base::unless_out_of_memory([&] { log_failure(py, error); }, [&] { python::discard_error(py); });
    watch_.tell_failure(py, error);
  }
  if (gone_) return {};
  if (cancelling_ != Cancelling::no) return cancelled();
  if (fault != BodyFault::none) return failed(gateway::status_of(fault), FailureCause::upload);
  return failed(gateway::kInternalServerError, FailureCause::exception);
}

// One record, with the traceback.
void Exchange::log_failure(Attached& py, const PythonError& error) const {
  const std::string summary = error.summary(py);
  const std::string_view script = channel_or_null_->target().script;
  const BodyFault fault = body_fault();
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

void Exchange::log_detached(Attached& py, LogLevel level, Message message,
                            std::string_view text) const {
  const DetachScope detached(py);
  channel_or_null_->log(level, message, text);
}

gateway::RunFigures Exchange::figures() const noexcept {
  return {.application =
              std::chrono::duration_cast<std::chrono::microseconds>(base::Clock::now() - began_)};
}

void Exchange::release_task(Attached& py) {
  if (std::exchange(task_released_, true)) return;
  task_.reset();
  watch_.leave(py);
  parts_.streams.give_back(py, std::move(stream_));
  stream_ = {};
  data_.end(py);
  link_in_use_ = link_->close();
}

void Exchange::settle_logs() noexcept {
  if (std::exchange(link_in_use_, false)) link_->wait_for_uses();
  logs_.flush();
}

void Exchange::finish(Attached& py, const Outcome& outcome) {
  const std::shared_ptr<Exchange> self = shared_from_this();
  release_task(py);
  Outcome told = outcome;
  told.figures = figures();
  {
    const DetachScope detached(py);
    settle_logs();
    watch_.count(told);
    channel_or_null_->finish(told);
  }
  channel_or_null_ = nullptr;
  waiters_.wake(py, parts_);
  host_.exchange_over(py, *this);
}

}  // namespace pyhost::asgi

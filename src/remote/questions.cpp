#include "remote/questions.h"

#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "pyhost/gateway/http_status.h"
#include "remote/request_body.h"
#include "remote/worker_words.h"

namespace pyhost::remote {
namespace {

using base::LogLevel;
using base::Message;
using gateway::AskResult;
using gateway::Outcome;

// What the script or its worker has done wrong is 500; all else may be better in a moment.
AskResult refused(int status) {
  Outcome outcome{Outcome::Kind::refused, status};
  if (status == gateway::kServiceUnavailable) outcome.retry_after_seconds = kRetryAfterSeconds;
  return tl::unexpected(std::move(outcome));
}

}  // namespace

// One question on its way.
struct Questions::Asking {
  const gateway::Target& target;
  const gateway::Question& question;
  gateway::ClientCaller& caller;
  std::int64_t queue_start_us = base::now_us();
  base::Clock::time_point began = base::Clock::now();
  // A worker that was asked has logged what went wrong.
  bool failure_told = false;
};

AskResult Questions::ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::ClientCaller& caller) {
  Asking asking{.target = target, .question = question, .caller = caller};
  Admission admission(scoreboard_, child_, settings_, caller, script_key(target),
                      caller.patience());
  while (true) {
    auto lease = admission.enter();
    if (!lease) return refuse(asking, lease.error());
    if (auto result = try_once(asking, admission, *std::move(lease))) return *std::move(result);
    if (!admission.is_over()) continue;
    return refuse(asking, {gateway::kServiceUnavailable, Message::hook_timeout,
                           fmt::format("no worker of process group '{}' has answered in time",
                                       settings_.group.name)});
  }
}

// Nothing when another worker has to be asked.
std::optional<AskResult> Questions::try_once(Asking& asking, Admission& admission, Lease lease) {
  auto pooled = connections_.take(lease.worker(), admission, asking.caller);
  if (!pooled) return ask_another(asking, admission, lease.worker(), std::move(pooled).error());
  const Worker worker = (*pooled)->worker;
  const bool was_used = (*pooled)->used;
  Inquiry inquiry(admission, **pooled, asking.caller, settings_);
  auto answer = inquiry.run(asking.target, asking.question, lease.resort(), asking.queue_start_us);
  asking.failure_told |= inquiry.failure_told();
  scoreboard_.tally(child_).note_dropped_lines(inquiry.lines_left_out());
  const bool sent_back = !answer && answer.error().kind == Attempt::Kind::not_run &&
                         answer.error().setback == Setback::Kind::hindered;
  if (inquiry.reusable() && !sent_back) connections_.give_back(worker.slot, *std::move(pooled));
  if (answer) return AskResult(*std::move(answer));
  Attempt attempt = std::move(answer).error();
  if (attempt.kind != Attempt::Kind::not_run) return report(asking, worker, attempt);
  // An idle connection may have ended for reasons of its own.
  if (attempt.setback == Setback::Kind::unreachable && was_used) return std::nullopt;
  return ask_another(asking, admission, worker, {attempt.setback, std::move(attempt.why)});
}

// The same.
std::optional<AskResult> Questions::ask_another(Asking& asking, Admission& admission,
                                                const Worker& worker, Setback setback) const {
  if (setback.kind == Setback::Kind::client_gone) {
    return refuse(asking, {status_of(gateway::BodyFault::client_gone), Message::client_left,
                           std::move(setback.why), LogLevel::info});
  }
  if (setback.kind == Setback::Kind::foreign) {
    return refuse(asking, {gateway::kServiceUnavailable, Message::worker_of_another_build,
                           std::move(setback.why), LogLevel::error});
  }
  if (setback.kind == Setback::Kind::silent) {
    asking.caller.log(LogLevel::info, Message::request_taken_back,
                      fmt::format("{}; another one is asked for {} ({})", setback.why,
                                  asking.target.script, name_of(settings_, worker)));
  }
  admission.heed(worker, std::move(setback));
  return std::nullopt;
}

AskResult Questions::refuse(Asking& asking, const gateway::Refusal& refusal) const {
  asking.caller.log(refusal.level, refusal.message,
                    fmt::format("{}; {} was not asked", refusal.text, asking.target.script));
  const bool client_left = refusal.message == Message::client_left;
  return refused(client_left ? refusal.status : gateway::kServiceUnavailable);
}

AskResult Questions::report(Asking& asking, const Worker& worker, const Attempt& attempt) const {
  const auto elapsed = base::seconds(base::Clock::now() - asking.began);
  // Of one failure there is one record: the script's own says more.
  if (attempt.message == Message::reply_broken && asking.failure_told) {
    return refused(attempt.status);
  }
  const bool quiet = attempt.kind == Attempt::Kind::client_gone ||
                     attempt.message == Message::request_head_too_large;
  asking.caller.log(quiet ? LogLevel::info : LogLevel::error, attempt.message,
                    fmt::format("{}, {:.3f} s after {} was to be asked ({})",
                                cause_of(attempt, death_of(scoreboard_, worker, attempt)), elapsed,
                                asking.target.script, name_of(settings_, worker)));
  return refused(attempt.status);
}

}  // namespace pyhost::remote

#include "remote/remote_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "pyhost/gateway/http_status.h"
#include "remote/failures.h"
#include "remote/worker_tunnel.h"
#include "remote/worker_words.h"

namespace pyhost::remote {
namespace {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::FailureCause;
using gateway::Outcome;

std::string progress_of(const Relay& relay) {
  if (relay.head_sent()) return "while it sent the reply";
  if (relay.body_bytes_sent() != 0) {
    return fmt::format("after it was sent {} bytes of the request body, before it replied",
                       relay.body_bytes_sent());
  }
  return "before it replied";
}

// A slow upload would keep a thread of the worker waiting, but no place in an event loop that is
// worth its delay, unless it is here at once. Whoever waits for "100 Continue" gets it when the
// application reads.
bool is_received_first(const gateway::Target& target, const gateway::ClientExchange& exchange) {
  using gateway::EnvironEntry;
  if (exchange.head().web_socket == gateway::WebSocketOffer::valid) return false;
  if (exchange.buffering() == gateway::Buffering::off) return false;
  if (!needs_loop(target.protocol)) return true;
  const gateway::RequestHead& head = exchange.head();
  return head.content_length && *head.content_length <= kBodyInMemoryMax &&
         std::ranges::find(head.environ, gateway::EnvironKey::http_expect, &EnvironEntry::key) ==
             head.environ.end();
}

// By a worker that is being replaced: its connection ends with it.
bool is_sent_back(const Attempt& attempt) noexcept {
  return attempt.kind == Attempt::Kind::not_run && attempt.setback == Setback::Kind::hindered;
}

}  // namespace

// One request on its way.
struct RemoteEngine::Run {
  const gateway::Target& target;
  gateway::ClientExchange& exchange;
  RequestBody body;
  base::Clock::time_point began = base::Clock::now();
  // A worker that was asked has logged what went wrong.
  bool failure_told = false;
  std::int64_t queue_start_us = 0;

  double elapsed_seconds() const noexcept {
    return std::chrono::duration<double>(base::Clock::now() - began).count();
  }
};

RemoteEngine::RemoteEngine(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
                           RemoteSettings settings)
    : scoreboard_(scoreboard),
      child_(child),
      settings_(std::move(settings)),
      connections_(scoreboard, settings_),
      questions_(scoreboard, child, settings_, connections_) {}

Outcome RemoteEngine::run(const gateway::Target& target,
                          gateway::ClientExchange& exchange) noexcept {
  Run run{.target = target, .exchange = exchange, .body = RequestBody(exchange)};
  if (is_received_first(target, exchange)) {
    if (const auto answer = run.body.receive(settings_.temporary_folder, target.script)) {
      return *answer;
    }
  }
  return serve(run);
}

gateway::AskResult RemoteEngine::ask(const gateway::Target& target,
                                     const gateway::Question& question,
                                     gateway::ClientCaller& caller) noexcept {
  return questions_.ask(target, question, caller);
}

Outcome RemoteEngine::serve(Run& run) {
  run.queue_start_us = base::now_us();
  Admission admission(scoreboard_, child_, settings_, run.exchange, script_key(run.target));
  while (true) {
    auto lease = admission.enter();
    run.exchange.times().queued = admission.waited();
    if (!lease) return refuse(run, lease.error());
    if (const auto outcome = try_once(run, admission, *std::move(lease))) return *outcome;
  }
}

// Nothing when another worker has to be asked.
std::optional<Outcome> RemoteEngine::try_once(Run& run, Admission& admission, Lease lease) {
  auto pooled = connections_.take(lease.worker(), admission, run.exchange);
  if (!pooled) return ask_another(run, admission, lease.worker(), std::move(pooled).error());
  const Worker worker = (*pooled)->worker;
  const bool was_used = (*pooled)->used;
  run.exchange.note_worker({.pid = worker.pid, .slot = worker.slot / settings_.rows_per_slot});
  Relay relay(admission, **pooled, run.exchange, run.body, settings_);
  Attempt attempt = relay.run(run.target, lease.resort(), run.queue_start_us);
  run.failure_told |= relay.failure_told();
  scoreboard_.tally(child_).note_dropped_lines(relay.lines_left_out());
  if (attempt.kind != Attempt::Kind::not_run) run.exchange.times().sent = relay.sent_at();
  const gateway::RunFigures figures = attempt.figures;
  if (attempt.kind == Attempt::Kind::switched) {
    return hand_over(run, relay, std::move(lease), *std::move(pooled));
  }
  if (attempt.kind == Attempt::Kind::complete) {
    if (!attempt.why.empty()) note_excess(run, worker, attempt);
    attempt = complete(relay, std::move(lease), *std::move(pooled));
  } else if (relay.reusable() && !is_sent_back(attempt)) {
    connections_.give_back(worker.slot, *std::move(pooled));
  }
  if (attempt.kind == Attempt::Kind::not_run) {
    // An idle connection may have ended for reasons of its own.
    if (attempt.setback == Setback::Kind::unreachable && was_used) return std::nullopt;
    return ask_another(run, admission, worker, {attempt.setback, std::move(attempt.why)});
  }
  Outcome outcome = outcome_of(run, worker, relay, attempt);
  outcome.figures = figures;
  return outcome;
}

Outcome RemoteEngine::outcome_of(Run& run, const Worker& worker, const Relay& relay,
                                 const Attempt& attempt) const {
  switch (attempt.kind) {
    case Attempt::Kind::complete:
    case Attempt::Kind::switched:
    case Attempt::Kind::taken_over:
      return {};
    case Attempt::Kind::client_gone:
      return lose_client(run, relay, attempt);
    case Attempt::Kind::refused:
      if (attempt.status >= gateway::kInternalServerError) {
        return report(run, worker, relay, attempt);
      }
      return failed(relay, attempt, attempt.failure);
    default:
      return report(run, worker, relay, attempt);
  }
}

// The same.
std::optional<Outcome> RemoteEngine::ask_another(Run& run, Admission& admission,
                                                 const Worker& worker, Setback setback) const {
  if (setback.kind == Setback::Kind::client_gone) {
    return refuse(run, {status_of(BodyFault::client_gone), Message::client_left,
                        std::move(setback.why), LogLevel::info});
  }
  if (setback.kind == Setback::Kind::foreign) {
    return refuse(run, {gateway::kServiceUnavailable, Message::worker_of_another_build,
                        std::move(setback.why), LogLevel::error});
  }
  if (setback.kind == Setback::Kind::silent) note_departure(run, worker, setback.why);
  admission.heed(worker, std::move(setback));
  return std::nullopt;
}

// The socket keeps its place at the worker.
Outcome RemoteEngine::hand_over(Run& run, const Relay& relay, Lease lease,
                                std::unique_ptr<PooledConnection> pooled) {
  run.exchange.keep_tunnel(
      std::make_unique<WorkerTunnel>(scoreboard_, settings_, run.exchange,
                                     WorkerTunnel::Request{.script = std::string(run.target.script),
                                                           .child = child_,
                                                           .began = run.began,
                                                           .sent_at = relay.sent_at()},
                                     std::move(lease), std::move(pooled)));
  return {};
}

void RemoteEngine::note_excess(Run& run, const Worker& worker, const Attempt& attempt) const {
  run.exchange.log(
      LogLevel::error, attempt.message,
      fmt::format("{}; {} ({})", attempt.why, run.target.script, name_of(settings_, worker)));
}

void RemoteEngine::note_departure(Run& run, const Worker& worker, std::string_view why) const {
  run.exchange.log(LogLevel::info, Message::request_taken_back,
                   fmt::format("{}; another one is asked for {} ({})", why, run.target.script,
                               name_of(settings_, worker)));
}

// The worker is free before the client has the reply.
Attempt RemoteEngine::complete(Relay& relay, Lease lease,
                               std::unique_ptr<PooledConnection> pooled) {
  const std::uint32_t slot = lease.worker().slot;
  const bool reusable = relay.reusable();
  if (relay.frees_line()) {
    if (reusable) connections_.give_back(slot, std::move(pooled));
    pooled.reset();
  }
  { const Lease given_back = std::move(lease); }
  Attempt attempt = relay.deliver();
  if (pooled && reusable) connections_.give_back(slot, std::move(pooled));
  return attempt;
}

Outcome RemoteEngine::refuse(Run& run, const gateway::Refusal& refusal) const {
  run.exchange.log(refusal.level, refusal.message,
                   fmt::format("{}; {} was not run", refusal.text, run.target.script));
  const bool left = refusal.message == Message::client_left;
  Outcome outcome{.kind = Outcome::Kind::refused,
                  .status = refusal.status,
                  .failure = left ? FailureCause::queue : failure_of(refusal.message)};
  if (refusal.status == gateway::kServiceUnavailable) {
    outcome.retry_after_seconds = kRetryAfterSeconds;
  }
  return outcome;
}

// Nobody may take what the client has for a complete reply.
Outcome RemoteEngine::lose_client(Run& run, const Relay& relay, const Attempt& attempt) const {
  run.exchange.log(LogLevel::info, attempt.message,
                   fmt::format("{}, {:.3f} s after the request for {} began", attempt.why,
                               run.elapsed_seconds(), run.target.script));
  const bool sent_all = attempt.message != Message::client_fault;
  const FailureCause stage = !sent_all           ? FailureCause::upload
                             : relay.head_sent() ? FailureCause::reply
                                                 : FailureCause::application;
  return failed(relay, attempt, stage);
}

// The client is answered, as long as nothing of a reply has reached it.
Outcome RemoteEngine::failed(const Relay& relay, const Attempt& attempt, FailureCause failure) {
  if (relay.head_sent()) return {.kind = Outcome::Kind::broken, .failure = failure};
  return {.kind = Outcome::Kind::refused, .status = attempt.status, .failure = failure};
}

Outcome RemoteEngine::report(Run& run, const Worker& worker, const Relay& relay,
                             const Attempt& attempt) const {
  const double elapsed = run.elapsed_seconds();
  const bool by_worker =
      attempt.message == Message::worker_lost || attempt.message == Message::worker_silent;
  const auto death = death_of(scoreboard_, worker, attempt);
  // Of one failure there is one record: the application's own says more.
  const bool told = attempt.message == Message::reply_broken && run.failure_told;
  if (!told) {
    run.exchange.log(
        LogLevel::error, attempt.message,
        fmt::format("{}{} {}, {:.3f} s after the request for {} began ({})",
                    cause_of(attempt, death), by_worker ? "" : "; that was", progress_of(relay),
                    elapsed, run.target.script, name_of(settings_, worker)));
  }
  const FailureCause said =
      attempt.failure != FailureCause::none ? attempt.failure : failure_of(attempt.message);
  return failed(relay, attempt, death ? failure_of(*death) : said);
}

}  // namespace pyhost::remote

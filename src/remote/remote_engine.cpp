#include "remote/remote_engine.h"

#include <fmt/format.h>

#include <utility>

namespace pyhost::remote {
namespace {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::Outcome;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kInternalServerError = 500;
constexpr int kServiceUnavailable = 503;
constexpr unsigned kRetryAfterSeconds = 1;
// How long the supervisor may take to learn how a worker ended.
constexpr milliseconds kDeathPatience{1000};

wire::Timeout timeout_of(milliseconds setting) noexcept {
  return setting == milliseconds::zero() ? wire::kNoTimeout : setting;
}

std::string progress_of(const Relay& relay) {
  if (relay.head_sent()) return "while it sent the reply";
  if (relay.body_bytes_sent() != 0) {
    return fmt::format("after it was sent {} bytes of the request body, before it replied",
                       relay.body_bytes_sent());
  }
  return "before it replied";
}

}  // namespace

// One request on its way.
struct RemoteEngine::Run {
  const gateway::Target& target;
  gateway::Exchange& exchange;
  RequestBody body;
  Clock::time_point began = Clock::now();

  double elapsed_seconds() const noexcept {
    return std::chrono::duration<double>(Clock::now() - began).count();
  }
};

RemoteEngine::RemoteEngine(metrics::Scoreboard& scoreboard, metrics::ChildSeat seat,
                           RemoteSettings settings)
    : scoreboard_(scoreboard),
      seat_(seat),
      settings_(std::move(settings)),
      connections_(settings_) {}

Outcome RemoteEngine::run(const gateway::Target& target, gateway::Exchange& exchange) noexcept {
  return run(target, exchange, Buffering::on);
}

Outcome RemoteEngine::run(const gateway::Target& target, gateway::Exchange& exchange,
                          Buffering buffering) noexcept {
  Run run{.target = target, .exchange = exchange, .body = RequestBody(exchange)};
  if (buffering == Buffering::on) {
    const auto fault = run.body.receive(settings_.temporary_folder);
    if (!fault) {
      exchange.log(LogLevel::error, Message::spool_failed, fault.error().sentence);
      return {Outcome::Kind::refused, kInternalServerError};
    }
    if (*fault != BodyFault::none) {
      exchange.log(LogLevel::info, Message::client_fault,
                   fmt::format("{}; {} was not run", describe(*fault), target.script));
      return {Outcome::Kind::refused, status_of(*fault)};
    }
  }
  return serve(run);
}

Outcome RemoteEngine::serve(Run& run) {
  const std::size_t attempts_max = 2 * settings_.socket_paths.size() + 1;
  Admission admission(scoreboard_, seat_, settings_);
  for (std::size_t attempt = 0; attempt < attempts_max; ++attempt) {
    auto place = admission.enter();
    if (!place) return refuse(run, place.error());
    if (const auto outcome = try_once(run, admission, *place)) return *outcome;
  }
  return refuse(run, {kServiceUnavailable, Message::retries_exhausted,
                      fmt::format("{} workers of process group '{}' in a row sent the request away",
                                  attempts_max, settings_.process_group)});
}

// Nothing when another worker has to be asked.
std::optional<Outcome> RemoteEngine::try_once(Run& run, Admission& admission, const Place& place) {
  auto line = connections_.take(place);
  if (!line) {
    admission.avoid(place, std::move(line).error().sentence);
    return std::nullopt;
  }
  Relay relay(**line, run.exchange, run.body, timeout_of(settings_.socket_timeout));
  Attempt attempt = relay.run(run.target);
  if (relay.reusable()) connections_.give_back(place, *std::move(line));
  switch (attempt.kind) {
    case Attempt::Kind::complete:
    case Attempt::Kind::client_gone:
      return Outcome{};
    case Attempt::Kind::again:
      admission.avoid(place, std::move(attempt.why));
      return std::nullopt;
    case Attempt::Kind::refused:
      return Outcome{Outcome::Kind::refused, attempt.status};
    default:
      return report(run, place, relay, attempt);
  }
}

Outcome RemoteEngine::refuse(Run& run, const Refusal& refusal) const {
  run.exchange.log(LogLevel::error, refusal.message,
                   fmt::format("{}; {} was not run", refusal.sentence, run.target.script));
  Outcome outcome{Outcome::Kind::refused, refusal.status};
  if (refusal.status == kServiceUnavailable) outcome.retry_after_seconds = kRetryAfterSeconds;
  return outcome;
}

std::string RemoteEngine::cause_of(const Place& place, const Attempt& attempt) const {
  if (attempt.kind == Attempt::Kind::lost) {
    const auto death = scoreboard_.wait_for_death(place.slot(), place.generation(), kDeathPatience);
    if (death && death->generation == place.generation()) {
      return "the worker " + metrics::describe(*death);
    }
  }
  return attempt.why;
}

Outcome RemoteEngine::report(Run& run, const Place& place, const Relay& relay,
                             const Attempt& attempt) const {
  const double elapsed = run.elapsed_seconds();
  run.exchange.log(
      LogLevel::error, attempt.message,
      fmt::format("{} {}, {:.3f} s after the request for {} began (process group '{}', slot {}, "
                  "pid {}, generation {})",
                  cause_of(place, attempt), progress_of(relay), elapsed, run.target.script,
                  settings_.process_group, place.slot().slot, place.pid(), place.generation()));
  if (relay.head_sent()) return {Outcome::Kind::broken, 0};
  return {Outcome::Kind::refused, attempt.status};
}

base::Result<> RemoteEngine::preload(const gateway::Target&, base::LogSink&) noexcept {
  return {};
}

void RemoteEngine::stop(std::chrono::milliseconds) noexcept {
  connections_.close_idle();
}

}  // namespace pyhost::remote

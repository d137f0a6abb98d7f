#include "worker/request_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "base/short_text.h"
#include "pyhost/gateway/http_status.h"
#include "wire/messages.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Outcome;
using wire::Io;

}  // namespace

void RequestServer::serve(ChildConnection& child, WorkerExchange& exchange) noexcept {
  base::unless_out_of_memory([&] { take_message(child, exchange); },
                             [&] {
                               const base::ShortText text(
                                   "process group '{}' has no memory left to read a request",
                                   settings_.group.name);
                               log_.log(LogLevel::error, Message::memory_exhausted, text.view());
                               exchange.refuse_for_memory(child.connection);
                               connections_.close(child);
                             });
}

// False when the child is closed.
bool RequestServer::read_frame(ChildConnection& child, wire::Frame& frame, wire::Timeout timeout) {
  switch (child.connection.read_frame(frame, timeout)) {
    case Io::done:
      return true;
    case Io::malformed:
      reject(child, child.connection.fault());
      return false;
    case Io::timeout:
      reject(child, "a request that stopped half-way");
      return false;
    case Io::closed:
    case Io::reset:
      break;
  }
  connections_.close(child);
  return false;
}

// The same. Many programs run as httpd's user; only httpd knows the secret.
bool RequestServer::hear_greeting(ChildConnection& child) {
  wire::Frame frame;
  // It is the beginning of the first message, so it comes as a whole.
  constexpr wire::Timeout kMoment = std::chrono::seconds(1);
  if (!read_frame(child, frame, std::min(settings_.socket_timeout, kMoment))) return false;
  child.greeted =
      frame.type == wire::FrameType::greeting && wire::greets(frame.payload, settings_.secret);
  if (child.greeted) {
    child.connection.trust_requests();
    return true;
  }
  const auto peer = os::peer_of(child.connection.fd());
  log_.log(LogLevel::error, Message::greeting_refused,
           fmt::format("process {} of user {} connected to process group '{}' and did not greet as "
                       "httpd does",
                       peer ? peer->pid : 0, peer ? peer->uid : 0, settings_.group.name));
  connections_.close(child);
  return false;
}

void RequestServer::take_message(ChildConnection& child, WorkerExchange& exchange) {
  wire::Frame frame;
  if (!child.greeted && !hear_greeting(child)) return;
  if (!read_frame(child, frame, settings_.socket_timeout)) return;
  // The child has gone, or is about to.
  if (frame.type == wire::FrameType::abort || frame.type == wire::FrameType::cancel) {
    return connections_.close(child);
  }
  const bool is_question = frame.type == wire::FrameType::question;
  if (!is_question && frame.type != wire::FrameType::request) {
    return reject(child, fmt::format("a {} frame outside of a request", wire::name_of(frame.type)));
  }
  if (child.connection.is_cancelled()) return answer_retry(child, "the request was taken back");
  // Counted before the flag is looked at: whoever drains then sees one or the other.
  count(1);
  bool goes_on = false;
  const base::ScopeExit leave([this, &goes_on] {
    if (!goes_on) request_left();
  });
  if (draining_) {
    answer_retry(child, "the worker is draining");
  } else if (is_question) {
    serve_question(child, frame.payload, exchange);
  } else {
    goes_on = serve_request(child, frame.payload, exchange);
  }
}

bool RequestServer::serve_request(ChildConnection& child, std::string_view payload,
                                  WorkerExchange& exchange) {
  if (!exchange.begin(child.connection, payload, [this, &child] { connections_.keep(child); })) {
    reject(child, "a malformed REQUEST frame");
    return false;
  }
  gateway::ChannelLoop* loop = nullptr;
  const Outcome outcome = base::unless_out_of_memory(
      [&] { return run_application(exchange, loop); },
      [&] {
        exchange.log(LogLevel::error, Message::memory_exhausted,
                     "there is no memory left for a request, which was not run");
        return Outcome{.kind = Outcome::Kind::refused,
                       .status = gateway::kServiceUnavailable,
                       .failure = gateway::FailureCause::out_of_memory};
      });
  if (loop != nullptr && hand_over(*loop, child, exchange)) return true;
  switch (exchange.finish(outcome, "the application failed")) {
    case Connected::reuse:
      connections_.keep(child);
      break;
    case Connected::close:
      connections_.close(child);
      break;
    case Connected::released:
      break;
  }
  return false;
}

void RequestServer::serve_question(ChildConnection& child, std::string_view payload,
                                   WorkerExchange& exchange) {
  if (!exchange.begin_question(child.connection, payload)) {
    return reject(child, "a malformed QUESTION frame");
  }
  const auto answered = base::unless_out_of_memory(
      [&] { return answer(exchange); },
      [&]() -> gateway::AskResult {
        exchange.log(LogLevel::error, Message::memory_exhausted, "the hook script was not asked");
        return tl::unexpected(Outcome{Outcome::Kind::refused, gateway::kServiceUnavailable});
      });
  if (exchange.finish_question(answered) == Connected::reuse) {
    connections_.keep(child);
  } else {
    connections_.close(child);
  }
}

Outcome RequestServer::run_application(WorkerExchange& exchange, gateway::ChannelLoop*& loop) {
  gateway::Target target = exchange.target();
  target.process_group = settings_.group.name;
  if (auto refused = refuse_target(target, settings_.targets.serves(target), exchange)) {
    return *std::move(refused);
  }
  while (true) {
    Outcome outcome = run_once(target, exchange, loop);
    if (!is_to_run_again(target, outcome)) return outcome;
  }
}

// A worker has one version of a script, so what that is does not change.
Outcome RequestServer::run_once(const gateway::Target& target, WorkerExchange& exchange,
                                gateway::ChannelLoop*& loop) {
  const bool may_have_loop = target.protocol != gateway::Protocol::wsgi &&
                             settings_.loops_or_null != nullptr && !wsgi_targets_.knows(target);
  if (!may_have_loop) return runner_.run(target, exchange);
  const auto placed = settings_.loops_or_null->place(target, exchange);
  if (!placed) return placed.error();
  loop = *placed;
  if (loop != nullptr) return {};
  wsgi_targets_.note(target);
  return runner_.run(target, exchange);
}

// The set of that loop's connections, made for its first.
base::Result<ChannelSet*> RequestServer::set_of(gateway::ChannelLoop& loop) {
  const std::lock_guard lock(sets_mutex_);
  const auto found = sets_.find(&loop);
  if (found != sets_.end()) return found->second;
  ChannelHost& host = *this;
  PH_TRY(made, ChannelSet::open(host));
  ChannelSet* const set = sets_.emplace(&loop, made.release()).first->second;
  loop.serve(*set);
  if (settings_.on_loop) settings_.on_loop();
  if (draining_) loop.drain(leaving_);
  return set;
}

void RequestServer::drain(gateway::Leaving why) {
  draining_ = true;
  const std::lock_guard lock(sets_mutex_);
  leaving_ = why;
  for (const auto& [loop, set] : sets_) loop->drain(why);
}

unsigned RequestServer::streams() const {
  const std::lock_guard lock(sets_mutex_);
  unsigned sum = 0;
  for (const auto& [loop, set] : sets_) sum += set->streams();
  return sum;
}

void RequestServer::add_running(std::vector<RunningRequest>& running) const {
  const std::lock_guard lock(sets_mutex_);
  for (const auto& [loop, set] : sets_) set->add_running(running);
}

std::optional<base::TimePoint> RequestServer::last_end() const {
  const std::lock_guard lock(sets_mutex_);
  std::optional<base::TimePoint> last;
  for (const auto& [loop, set] : sets_) last = std::max(last, set->last_end());
  return last;
}

bool RequestServer::with(std::uint64_t number,
                         const std::function<void(WatchedRequest&)>& act) const {
  const std::lock_guard lock(sets_mutex_);
  return std::ranges::any_of(sets_,
                             [&](const auto& each) { return each.second->with(number, act); });
}

// False when that fails; it was logged.
bool RequestServer::hand_over(gateway::ChannelLoop& loop, ChildConnection& child,
                              WorkerExchange& exchange) {
  const auto set = set_of(loop);
  if (set) {
    (*set)->adopt(child, exchange.hand_over());
    return true;
  }
  exchange.log(LogLevel::error, Message::event_loop_failed, set.error().sentence);
  return false;
}

gateway::AskResult RequestServer::answer(WorkerExchange& exchange) {
  gateway::Target target = exchange.target();
  target.process_group = settings_.group.name;
  if (auto refused = refuse_target(target, settings_.targets.answers(target), exchange)) {
    return tl::unexpected(*std::move(refused));
  }
  while (true) {
    auto answer = runner_.ask(target, exchange.question(), exchange);
    if (answer || !is_to_run_again(target, answer.error())) return answer;
  }
}

// Nothing when it may be run here.
std::optional<Outcome> RequestServer::refuse_target(const gateway::Target& target,
                                                    bool is_configured, WorkerExchange& exchange) {
  if (!is_configured) {
    exchange.log(LogLevel::error, Message::target_refused,
                 fmt::format("process group '{}' is not configured to serve {}",
                             settings_.group.name, target.script));
    return Outcome{.kind = Outcome::Kind::refused,
                   .status = gateway::kInternalServerError,
                   .failure = gateway::FailureCause::target_refused};
  }
  if (keeps(target)) return std::nullopt;
  return Outcome{.kind = Outcome::Kind::refused,
                 .status = gateway::kInternalServerError,
                 .import_failed = true,
                 .why = "the worker is kept for other scripts",
                 .failure = gateway::FailureCause::import_failed};
}

bool RequestServer::is_to_run_again(const gateway::Target& target, const Outcome& outcome) {
  const bool again = outcome.kind == Outcome::Kind::outdated && settings_.on_outdated &&
                     settings_.on_outdated(target.script) == WhenOutdated::run_again;
  if (!again && outcome.import_failed && settings_.on_lack) settings_.on_lack(target, outcome.why);
  return again;
}

bool RequestServer::keeps(const gateway::Target& target) const {
  return !keeps_some_only_ ||
         std::ranges::find(kept_scripts_, script_key(target)) != kept_scripts_.end();
}

// Only the request that broke the rules is lost; the child opens another connection.
void RequestServer::reject(ChildConnection& child, std::string_view why) {
  log_.log(
      LogLevel::error, Message::frame_malformed,
      fmt::format("a connection to process group '{}' was closed: {}", settings_.group.name, why));
  wire::FrameBatch batch;
  wire::encode_error({gateway::kInternalServerError, why}, batch.encoded());
  static_cast<void>(child.connection.write_some(batch));
  connections_.close(child);
}

// The child waits for it, with a connection in which nothing else is.
void RequestServer::answer_retry(ChildConnection& child, std::string_view why) {
  wire::FrameBatch batch;
  wire::encode_retry({.reason = why}, batch.encoded());
  if (child.connection.write_some(batch) == Io::done) {
    connections_.keep(child);
  } else {
    connections_.close(child);
  }
}

bool RequestServer::serves(const gateway::Target& target) const {
  return settings_.targets.serves(target) && keeps(target);
}

void RequestServer::request_left() {
  count(-1);
  on_served_();
}

void RequestServer::before_reply() {
  if (settings_.before_reply) settings_.before_reply();
}

void RequestServer::channel_over() {
  if (settings_.on_progress) settings_.on_progress();
}

void RequestServer::keep_only(std::vector<std::uint64_t> scripts) {
  kept_scripts_ = std::move(scripts);
  keeps_some_only_ = true;
}

void RequestServer::count(int change) {
  const std::lock_guard lock(load_mutex_);
  active_ += static_cast<unsigned>(change);
  if (settings_.on_load) settings_.on_load(active_);
}

void RequestServer::repeat_load() {
  count(0);
}

unsigned RequestServer::active() const {
  const std::lock_guard sets_lock(sets_mutex_);
  const std::lock_guard lock(load_mutex_);
  unsigned active = active_;
  for (const auto& [loop, set] : sets_) active += set->in_background();
  return active;
}

}  // namespace pyhost::worker

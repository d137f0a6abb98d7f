#include "remote/relay.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <climits>

#include "base/clock.h"
#include "pyhost/gateway/http_status.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::remote {
namespace {

using base::Message;
using gateway::ClientState;
using std::chrono::milliseconds;
using wire::Connection;
using wire::Frame;
using wire::FrameType;
using wire::Io;
using Kind = Attempt::Kind;

constexpr char kUnread[] = "the worker did not read the request";
bool is_over(std::optional<base::Clock::time_point> moment) noexcept {
  return moment && base::Clock::now() >= *moment;
}

// Whether an entry repeats what the client has put into its request line.
bool is_of_target(gateway::EnvironKey key) noexcept {
  using gateway::EnvironKey;
  return key == EnvironKey::request_uri || key == EnvironKey::query_string ||
         key == EnvironKey::script_name || key == EnvironKey::path_info ||
         key == EnvironKey::wsgi_script_name || key == EnvironKey::wsgi_path_info;
}

int status_of_large_head(const gateway::RequestHead& head) noexcept {
  constexpr int kUriTooLong = 414;
  constexpr int kHeadersTooLarge = 431;
  std::size_t other_bytes = 0;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (!is_of_target(entry.key)) other_bytes += entry.name.size() + entry.value.size();
  }
  return other_bytes < wire::kRequestBytesMax / 2 ? kUriTooLong : kHeadersTooLarge;
}

// Whether it belongs to the body of a reply.
bool is_body(FrameType type) noexcept {
  return type == FrameType::reply_body || type == FrameType::reply_file || type == FrameType::flush;
}

}  // namespace

Attempt Relay::run(const gateway::Target& target, Resort resort, std::int64_t queue_start_us) {
  Attempt attempt = relay(target, resort, queue_start_us);
  records_.tell_left_out();
  const bool breaks =
      attempt.kind == Kind::broken || attempt.kind == Kind::lost || attempt.kind == Kind::failed;
  if (breaks && delivery_.head_sent()) delivery_.break_off();
  return attempt;
}

Attempt Relay::relay(const gateway::Target& target, Resort resort, std::int64_t queue_start_us) {
  if (auto ended = send_request(target, resort, queue_start_us)) return *std::move(ended);
  if (auto ended = receive_first()) return *std::move(ended);
  while (true) {
    if (auto ended = take_frames()) return *std::move(ended);
    // What has arrived lies in the buffer that is about to be used again.
    if (delivery_.unsettled() && !pooled_.connection.rest_fits_in_place()) {
      if (auto ended = settle()) return *std::move(ended);
    }
    if (auto ended = receive()) return *std::move(ended);
  }
}

Relay::Step Relay::take_frames() {
  Frame frame;
  while (true) {
    switch (pooled_.connection.next(frame)) {
      case Connection::Next::frame:
        if (auto ended = handle(frame)) return ended;
        break;
      case Connection::Next::malformed:
        return fail(Io::malformed);
      case Connection::Next::incomplete:
        return std::nullopt;
    }
  }
}

// Most applications answer at once: one system call instead of three. A client that leaves is only
// noticed when this moment is over.
Relay::Step Relay::receive_first() {
  const Io outcome = read_watch_.note(pooled_.connection.fill_shortly());
  const bool goes_on = outcome == Io::timeout || outcome == Io::done;
  return goes_on ? std::nullopt : Step(fail(outcome));
}

Attempt Relay::not_run(Setback::Kind setback, std::string why) {
  return {Kind::not_run, 0, Message::none, std::move(why), setback};
}

// Nothing is read while there is no room for it, and the worker is not to blame for that; nor where
// it waits for the client.
Relay::Step Relay::receive() {
  std::optional<base::Clock::time_point> give_up_at;
  while (true) {
    if (!delivery_.full()) {
      // Asked first: what it has sent before it died is there then.
      const bool died = admission_.has_died(pooled_.worker);
      const Io outcome = read_watch_.note(pooled_.connection.fill_now());
      if (outcome != Io::timeout) return outcome == Io::done ? std::nullopt : Step(fail(outcome));
      if (died) return fail(Io::closed);
      if (!give_up_at && settings_.socket_timeout != milliseconds::zero()) {
        give_up_at = base::Clock::now() + settings_.socket_timeout;
      }
    }
    if (delivery_.full() || feeding_since_) give_up_at.reset();
    if (auto ended = wait(give_up_at)) return ended;
  }
}

// For the worker, for a client that is behind, for a client that leaves, and for what is due.
Relay::Step Relay::wait(std::optional<base::Clock::time_point> give_up_at) {
  pollfd ends[] = {{.fd = delivery_.full() ? -1 : pooled_.connection.fd(), .events = POLLIN},
                   {.fd = exchange_.client_socket().fd, .events = 0}};
  auto& [worker, client] = ends;
  if (delivery_.client_is_behind()) client.events |= POLLOUT;
  // Behind a body that nobody has read, the client may have closed its side.
  if (!body_.awaits_client()) client.events |= POLLRDHUP;
  if (feeding_since_) client.events |= POLLIN;
  const auto patience_ends_at = delivery_.patience_ends_at();
  const auto now = base::Clock::now();
  auto until = now + milliseconds(INT_MAX);
  for (const auto& due :
       {give_up_at, delivery_.flush_at(), patience_ends_at, read_watch_.due(), body_due()}) {
    if (due) until = std::min(until, *due);
  }
  until = std::min<base::Clock::time_point>(until, now + kLookInterval);
  const auto at_most = std::max(std::chrono::ceil<milliseconds>(until - now), milliseconds::zero());
  ::poll(ends, std::size(ends), static_cast<int>(at_most.count()));

  if (feeding_since_) {
    if (auto ended = feed()) return ended;
    if (!feeding_since_) return std::nullopt;
    client.revents &= ~POLLIN;
  }
  const bool look = client.fd < 0 || (client.revents & ~POLLOUT) != 0;
  if (look && exchange_.client_state() == ClientState::gone) {
    return stop(Passed::client_gone);
  }
  if (worker.revents != 0) return std::nullopt;
  if (client.revents != 0) return stop_unless_on(delivery_.go_on());
  if (is_over(read_watch_.due())) {
    return read_watch_.look() ? Step(not_run(Setback::Kind::silent, kUnread)) : std::nullopt;
  }
  if (is_over(delivery_.flush_at())) return settle();
  if (is_over(patience_ends_at)) return stop(Passed::client_slow);
  return is_over(give_up_at) ? Step(fail(Io::timeout)) : std::nullopt;
}

Relay::Step Relay::send_request(const gateway::Target& target, Resort resort,
                                std::int64_t queue_start_us) {
  pooled_.batch.clear();
  wire::RequestMessage message{.target = target,
                               .head = exchange_.head(),
                               .body = body_.in_memory(),
                               .body_follows = body_.follows(),
                               .last_resort = resort == Resort::last};
  message.head.queue_start_us = queue_start_us;
  if (!pooled_.greeted) wire::encode_greeting(settings_.secret, pooled_.batch.encoded());
  if (!wire::encode_request(message, pooled_.batch.encoded())) {
    reusable_ = true;
    exchange_.log(base::LogLevel::info, Message::request_head_too_large,
                  fmt::format("the head of a request for {} is larger than {} bytes, which is the "
                              "most that is passed to a worker",
                              target.script, wire::kRequestBytesMax));
    return Attempt{Kind::refused, status_of_large_head(exchange_.head()), Message::none, {}};
  }
  pooled_.greeted = true;
  return write_request();
}

// A request that has not left completely is not understood, and so not run.
Relay::Step Relay::write_request() {
  read_watch_.begin(base::Clock::now());
  base::TimePoint moved_at = read_watch_.began();
  Io outcome = pooled_.connection.write(pooled_.batch, Admission::kSilenceAfter);
  while (outcome == Io::timeout) {
    if (admission_.note_silence(pooled_.worker, base::Clock::now() - moved_at))
      return not_run(Setback::Kind::silent, kUnread);
    const std::size_t sent_before = pooled_.batch.bytes_sent();
    outcome =
        pooled_.connection.write(pooled_.batch, std::min<wire::Timeout>(kLookInterval, timeout()));
    const auto now = base::Clock::now();
    if (pooled_.batch.bytes_sent() != sent_before) moved_at = now;
    const auto stood_still = std::chrono::duration_cast<milliseconds>(now - moved_at);
    if (outcome == Io::timeout && stood_still >= timeout()) return fail(outcome);
  }
  if (outcome == Io::done) return std::nullopt;
  return not_run(Setback::Kind::unreachable, "the worker closed the connection");
}

Relay::Step Relay::handle(const Frame& frame) {
  heard_ = true;
  if (trailers_seen_ && (is_body(frame.type) || frame.type == FrameType::trailers)) {
    return malformed(
        fmt::format("the worker sent {} behind the trailers", wire::name_of(frame.type)));
  }
  switch (frame.type) {
    case FrameType::head:
      return begin_reply(frame);
    case FrameType::early_hints:
      if (head_seen_) break;
      return take_early_hints(frame);
    case FrameType::reply_body:
      if (!head_seen_) break;
      return take_body(frame.payload);
    case FrameType::reply_file:
      return take_file(frame);
    case FrameType::flush:
      if (!head_seen_) break;
      delivery_.pause();
      return delivery_.head_sent() ? std::nullopt : settle();
    case FrameType::trailers:
      if (!head_seen_) break;
      return take_trailers(frame);
    case FrameType::need_body:
      return answer_need_body();
    case FrameType::want_body:
      if (feeding_since_) break;
      return begin_feeding();
    case FrameType::log:
      records_.take(frame.payload);
      return std::nullopt;
    case FrameType::record:
      records_.take_application(frame.payload);
      return std::nullopt;
    case FrameType::end:
      if (!head_seen_) break;
      return end_reply(frame);
    case FrameType::error:
      return end_with_error(frame);
    case FrameType::retry:
      if (head_seen_ || body_bytes_sent_ != 0) break;
      return send_back(frame);
    default:
      break;
  }
  return malformed(fmt::format("the worker sent {} at the wrong time", wire::name_of(frame.type)));
}

Attempt Relay::send_back(const Frame& frame) {
  const auto retry = wire::decode_retry(frame.payload);
  if (!retry) return malformed("the worker sent a malformed RETRY");
  reusable_ = true;
  const auto setback = retry->lacks_script ? Setback::Kind::lacking : Setback::Kind::hindered;
  return not_run(setback, std::string(retry->reason));
}

Relay::Step Relay::begin_reply(const Frame& frame) {
  const auto head = wire::decode_head(frame.payload, pooled_.headers, pooled_.annotations);
  if (!head || head_seen_) return malformed("the worker sent a malformed HEAD");
  if (head->status == gateway::kSwitchingProtocols) return switch_protocols(*head);
  if (const auto allowed = rules_.begin(*head); !allowed) return forbidden(allowed.error());
  if (auto fault = fault_of_lines(*head)) return fault;
  head_seen_ = true;
  delivery_.begin(*head);
  return std::nullopt;
}

// httpd would cut such lines, or close the connection for them.
std::optional<Attempt> Relay::fault_of_lines(const gateway::ResponseHead& head) const {
  constexpr std::size_t kSeparators = 4;  // ": " and the line's end
  constexpr std::size_t kUsualLine = 32 * 1024;
  const std::size_t own = settings_.group.header_buffer_size_bytes;
  const std::size_t line_max = own != 0 ? own : kUsualLine;
  for (const gateway::Header& header : head.headers) {
    const std::size_t bytes = header.name.size() + header.value.size() + kSeparators;
    if (bytes <= line_max) continue;
    return Attempt{Kind::failed, gateway::kInternalServerError, Message::head_too_large,
                   fmt::format("the reply's header {} is a line of {} bytes, longer than "
                               "header-buffer-size={}",
                               header.name, bytes, line_max)};
  }
  return std::nullopt;
}

// From here on the connection is a stream, for whoever takes it over.
Relay::Step Relay::switch_protocols(const gateway::ResponseHead& head) {
  if (exchange_.head().web_socket != gateway::WebSocketOffer::valid || feeding_since_) {
    return forbidden({"the worker sent a reply with status 101 to a request that asks for none"});
  }
  if (const auto allowed = rules_.begin_stream(head); !allowed) return forbidden(allowed.error());
  if (auto fault = fault_of_lines(head)) return fault;
  switch (exchange_.switch_protocols(head)) {
    case gateway::SendResult::sent:
      return Attempt{Kind::switched};
    case gateway::SendResult::superseded:
      return stop(Passed::taken_over);
    case gateway::SendResult::client_gone:
      break;
  }
  return stop(Passed::client_gone);
}

// They are sent at once, so a client that takes nothing gets none, and nobody many.
Relay::Step Relay::take_early_hints(const Frame& frame) {
  constexpr unsigned kMax = 8;
  if (!wire::decode_headers(frame.payload, pooled_.headers)) {
    return malformed("the worker sent malformed EARLY_HINTS");
  }
  if (const auto allowed = gateway::check_early_hints(pooled_.headers); !allowed) {
    return forbidden({"the worker sent " + allowed.error().sentence});
  }
  if (early_hints_ == kMax || exchange_.client_state() != ClientState::ready) return std::nullopt;
  ++early_hints_;
  exchange_.send_early_hints(pooled_.headers);
  return std::nullopt;
}

Relay::Step Relay::take_trailers(const Frame& frame) {
  trailers_seen_ = true;
  if (!wire::decode_headers(frame.payload, pooled_.headers)) {
    return malformed("the worker sent malformed TRAILERS");
  }
  if (const auto allowed = gateway::check_trailers(pooled_.headers); !allowed) {
    return forbidden(
        {"the worker sent trailers that may not be sent: " + allowed.error().sentence});
  }
  delivery_.keep_trailers(pooled_.headers);
  return std::nullopt;
}

Relay::Step Relay::take_body(std::string_view bytes) {
  if (auto ended = settle_file()) return ended;
  const std::string_view admitted = bytes.substr(0, rules_.admit(bytes.size()));
  if (!admitted.empty()) delivery_.add(admitted);
  return end_when_exceeded();
}

// The client gets what was promised, and nothing of what lies behind it.
Relay::Step Relay::end_when_exceeded() {
  if (!rules_.exceeded()) return std::nullopt;
  return Attempt{Kind::complete, 0, Message::reply_forbidden,
                 "the worker sent more than the Content-Length of its reply, which was dropped"};
}

Relay::Step Relay::end_reply(const Frame& frame) {
  const auto figures = wire::decode_end(frame.payload);
  if (!figures) return malformed("the worker sent a malformed END");
  if (const auto complete = rules_.end(); !complete) return forbidden(complete.error());
  reusable_ = true;
  return Attempt{.kind = Kind::complete, .figures = believed(*figures)};
}

Relay::Step Relay::take_file(const Frame& frame) {
  const auto message = wire::decode_file(frame.payload);
  base::UniqueFd file = pooled_.connection.take_file();
  if (!message || !file.valid() || !head_seen_) {
    return malformed("the worker sent a malformed REPLY_FILE");
  }
  if (auto ended = settle_file()) return ended;
  gateway::FileRange range{.fd = file.get(), .offset = message->offset, .length = message->length};
  const auto admitted = rules_.admit_file(range);
  if (!admitted) return forbidden(admitted.error());
  range.length = *admitted;
  if (range.length != 0) delivery_.add_file(std::move(file), range);
  return end_when_exceeded();
}

// A file is sent by httpd, and what follows comes behind it.
Relay::Step Relay::settle_file() {
  return delivery_.has_file() ? settle() : std::nullopt;
}

// One piece for each NEED_BODY: see worker/worker_exchange.cpp.
Relay::Step Relay::answer_need_body() {
  if (delivery_.unsettled()) {
    if (auto ended = settle()) return ended;
  }
  return send_piece(body_.next());
}

// The worker may answer before the client sends any more.
Relay::Step Relay::begin_feeding() {
  feeding_since_ = base::Clock::now();
  return feed();
}

// With what of the body is here, if anything. httpd's own limits strike when it is looked for.
Relay::Step Relay::feed() {
  std::optional<RequestBody::Piece> piece = body_.next_now();
  if (!piece && is_over(body_due())) piece = body_.give_up();
  if (!piece) return std::nullopt;
  feeding_since_.reset();
  if (piece->fault != gateway::BodyFault::client_gone) return send_piece(*piece);
  // That is not only the end of the body: what the worker logs from here on, nobody would read.
  abort();
  return Attempt{Kind::client_gone, status_of(piece->fault), Message::client_fault,
                 std::string(describe(piece->fault))};
}

// When the client has had its time for a piece.
std::optional<base::TimePoint> Relay::body_due() const noexcept {
  if (!feeding_since_ || settings_.socket_timeout == milliseconds::zero()) return std::nullopt;
  return *feeding_since_ + settings_.socket_timeout;
}

Relay::Step Relay::send_piece(const RequestBody::Piece& piece) {
  pooled_.batch.clear();
  if (piece.bytes.empty()) {
    wire::encode_body_end(piece.fault, pooled_.batch.encoded());
  } else {
    pooled_.batch.add_body(FrameType::body, piece.bytes);
  }
  const Io outcome = pooled_.connection.write(pooled_.batch, timeout());
  body_bytes_sent_ += piece.bytes.size();
  return outcome == Io::done ? std::nullopt : Step(fail(outcome));
}

Relay::Step Relay::settle() {
  return stop_unless_on(delivery_.settle());
}

Relay::Step Relay::stop_unless_on(Passed passed) {
  return passed == Passed::on ? std::nullopt : Step(stop(passed));
}

wire::Timeout Relay::timeout() const noexcept {
  const milliseconds limit = settings_.socket_timeout;
  return limit == milliseconds::zero() ? wire::kNoTimeout : limit;
}

}  // namespace pyhost::remote

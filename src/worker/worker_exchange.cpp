#include "worker/worker_exchange.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "os/fork_watch.h"

namespace pyhost::worker {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::Outcome;
using gateway::ReplyPart;
using gateway::SendResult;
using os::ForkWatch;
using wire::Connection;
using wire::FrameType;
using wire::Io;

namespace {

constexpr int kInternalServerError = 500;
constexpr int kServiceUnavailable = 503;

std::string refusal_frame() {
  std::string frame;
  wire::encode_error({kServiceUnavailable, "the worker has no memory for it"}, frame);
  return frame;
}

}  // namespace

WorkerExchange::WorkerExchange(base::LogSink& process_log, wire::Timeout reply_timeout,
                               std::function<void()> before_reply)
    : process_log_(process_log),
      reply_timeout_(reply_timeout),
      before_reply_(std::move(before_reply)),
      refusal_(refusal_frame()) {}

void WorkerExchange::refuse_for_memory(const wire::Connection& connection) const noexcept {
  static_cast<void>(
      ::send(connection.fd(), refusal_.data(), refusal_.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

bool WorkerExchange::begin(wire::Connection& connection, std::string_view payload,
                           std::function<void()> on_end) {
  const Lock lock(mutex_);
  payload_.assign(payload);
  auto request = wire::decode_request(payload_, environ_);
  if (!request) return false;
  request_ = *request;
  connection_ = &connection;
  on_end_ = std::move(on_end);
  lost_ = false;
  short_of_memory_ = false;
  arrived_ = request_.body;
  body_follows_ = request_.body_follows;
  fault_ = BodyFault::none;
  reply_ = Reply::unsent;
  announced_ = false;
  body_bytes_ = 0;
  reply_bytes_ = 0;
  arrived_at_ = base::Clock::now();
  request_.head.worker_start_us = base::now_us();
  clock_.begin(arrived_at_);
  return true;
}

std::size_t WorkerExchange::take_arrived(std::span<char> into) noexcept {
  const std::size_t bytes = std::min(into.size(), arrived_.size());
  std::copy_n(arrived_.begin(), bytes, into.begin());
  arrived_.remove_prefix(bytes);
  body_bytes_ += bytes;
  return bytes;
}

gateway::BodyRead WorkerExchange::read_body(std::span<char> into) noexcept {
  if (arrived_.empty() && body_follows_ && fault_ == BodyFault::none) {
    base::unless_out_of_memory([this] { ask_for_body(); },
                               [this] {
                                 give_up_for_memory();
                                 // What the child has sent of the body may be half read.
                                 const Lock lock(mutex_);
                                 lose_locked("there is no memory for the request body");
                               });
  }
  if (fault_ != BodyFault::none) return {0, fault_};
  return {take_arrived(into), BodyFault::none};
}

// One NEED_BODY brings one frame: what is on its way always fits the child's and our memory, and
// neither side writes while the other one does not read. There is no limit in time: the child has
// httpd's for its client, and if the child dies the connection ends.
void WorkerExchange::ask_for_body() {
  fault_ = BodyFault::client_gone;
  if (ForkWatch::in_forked_process()) return;
  Connection* connection = nullptr;
  {
    const Lock lock(mutex_);
    if (connection_ == nullptr || lost_) return;
    connection = connection_;
    wire::encode_empty(FrameType::need_body, batch_.encoded());
    if (!flush_locked()) return;
    awaits_body_ = true;
  }
  // Others may log meanwhile: reading and writing do not touch each other.
  wire::Frame frame;
  bool read = false;
  do {
    read = connection->read_frame(frame, wire::kNoTimeout) == Io::done;
  } while (read && frame.type == FrameType::cancel);
  awaits_body_ = false;
  if (read && frame.type == FrameType::body) {
    body_piece_.assign(frame.payload);
    arrived_ = body_piece_;
    fault_ = BodyFault::none;
    return;
  }
  const auto fault = read && frame.type == FrameType::body_end
                         ? wire::decode_body_end(frame.payload)
                         : std::nullopt;
  if (fault) {
    body_follows_ = false;
    fault_ = *fault;
    return;
  }
  const Lock lock(mutex_);
  lose_locked(
      read ? fmt::format("the httpd child sent {} for the request body", wire::name_of(frame.type))
           : "the httpd child has closed the connection");
}

void WorkerExchange::lose_locked(std::string_view why) noexcept {
  if (!lost_) {
    base::if_memory_allows([&] {
      process_log_.log(LogLevel::debug, Message::child_gone,
                       fmt::format("{} during a request for {}", why, request_.target.script));
    });
  }
  lost_ = true;
  batch_.clear();
}

// False when the child has gone, or has taken nothing for too long.
bool WorkerExchange::flush_locked() {
  std::optional<base::Clock::time_point> full_since;
  while (true) {
    const std::size_t sent_before = batch_.bytes_sent();
    const Io outcome = connection_->write_some(batch_);
    if (outcome == Io::done) break;
    if (outcome != Io::timeout) {
      lose_locked("the httpd child has gone");
      return false;
    }
    if (!full_since || batch_.bytes_sent() != sent_before) full_since = base::Clock::now();
    if (!await_room_locked(*full_since)) return false;
  }
  batch_.clear();
  return true;
}

// Waits for a moment only: the kernel reports room when three quarters of the buffer are free, and
// a child with a slow client makes less than that. The child sends nothing but ABORT, or CANCEL
// that comes too late, while it is not asked for the body: so whatever else comes in between ends
// the reply.
bool WorkerExchange::await_room_locked(base::Clock::time_point full_since) noexcept {
  using std::chrono::milliseconds;
  constexpr milliseconds kMoment{500};
  if (std::chrono::duration_cast<milliseconds>(base::Clock::now() - full_since) >= reply_timeout_) {
    lose_locked("the httpd child did not take the reply in time");
    return false;
  }
  const short events = awaits_body_ ? POLLOUT : POLLIN | POLLOUT;
  if ((connection_->wait(events, std::min(reply_timeout_, kMoment)) & POLLIN) == 0) return true;
  if (connection_->drop_late_cancel()) return true;
  lose_locked("the client has gone");
  return false;
}

void WorkerExchange::announce_reply() noexcept {
  if (!std::exchange(announced_, true) && before_reply_) before_reply_();
}

SendResult WorkerExchange::send(const ReplyPart& part) noexcept {
  return base::unless_out_of_memory([&] { return send_part(part); },
                                    [this] {
                                      give_up_for_memory();
                                      return SendResult::client_gone;
                                    });
}

// What has left of it cannot be taken back; otherwise the client can still be told.
void WorkerExchange::drop_half_made_locked() noexcept {
  if (batch_.bytes_sent() != 0) lost_ = true;
  batch_.clear();
}

void WorkerExchange::give_up_for_memory() noexcept {
  bool told = false;
  {
    const Lock lock(mutex_);
    drop_half_made_locked();
    told = std::exchange(short_of_memory_, true);
  }
  if (told) return;
  std::array<char, 512> text;
  const auto written = fmt::format_to_n(text.data(), text.size(), "{} was given up in mid-request",
                                        request_.target.script);
  process_log_.log(LogLevel::error, Message::memory_exhausted,
                   {text.data(), std::min(written.size, text.size())});
}

SendResult WorkerExchange::send_part(const ReplyPart& part) {
  if (ForkWatch::in_forked_process()) return SendResult::client_gone;
  bool ended = false;
  announce_reply();
  {
    const Lock lock(mutex_);
    if (lost_ || short_of_memory_ || connection_ == nullptr) return SendResult::client_gone;
    if (reply_ != Reply::unsent && client_gone_locked()) {
      return SendResult::client_gone;
    }
    if (!encode_locked(part)) return SendResult::client_gone;
    ended = part.then == ReplyPart::Then::end;
    if (!(ended ? end_reply_locked() : flush_locked())) return SendResult::client_gone;
  }
  if (ended) on_end_();
  return SendResult::sent;
}

bool WorkerExchange::encode_locked(const ReplyPart& part) {
  if (part.head != nullptr && !wire::encode_head(*part.head, batch_.encoded())) {
    wire::encode_log({LogLevel::error, Message::head_too_large,
                      fmt::format("the response headers of {} are larger than {} bytes",
                                  request_.target.script, wire::kPayloadBytesMax)},
                     batch_.encoded());
    flush_locked();
    return false;
  }
  for (const std::string_view block : part.blocks) {
    batch_.add_body(FrameType::reply_body, block);
    reply_bytes_ += block.size();
  }
  if (part.file != nullptr) {
    wire::encode_file({part.file->offset, part.file->length}, batch_.encoded());
    batch_.attach_file(part.file->fd);
    reply_bytes_ += part.file->length;
  }
  if (part.then == ReplyPart::Then::pause) {
    wire::encode_empty(FrameType::flush, batch_.encoded());
  }
  reply_ = Reply::open;
  return true;
}

bool WorkerExchange::client_gone() noexcept {
  if (ForkWatch::in_forked_process()) return true;
  const Lock lock(mutex_);
  return client_gone_locked();
}

// Between two answers the child sends nothing but ABORT, or CANCEL that comes too late, and closes.
bool WorkerExchange::client_gone_locked() noexcept {
  if (!lost_ && connection_ != nullptr && !connection_->idle() &&
      !connection_->drop_late_cancel()) {
    lose_locked("the client has gone");
  }
  return lost_;
}

bool WorkerExchange::end_reply_locked() {
  const base::Clock::duration elapsed = base::Clock::now() - arrived_at_;
  wire::encode_end({.application_us = static_cast<std::uint64_t>(
                        std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()),
                    .body_bytes_read = body_bytes_,
                    .reply_bytes = reply_bytes_},
                   batch_.encoded());
  if (!flush_locked()) return false;
  reply_ = Reply::ended;
  connection_ = nullptr;
  return true;
}

void WorkerExchange::log(LogLevel level, Message message, std::string_view text) noexcept {
  if (!ForkWatch::in_forked_process()) {
    const Lock lock(mutex_);
    const bool sent = connection_ != nullptr && !lost_ &&
                      base::unless_out_of_memory(
                          [&] {
                            wire::encode_log({level, message, text}, batch_.encoded());
                            return flush_locked();
                          },
                          [this] {
                            drop_half_made_locked();
                            return false;
                          });
    if (sent) return;
  }
  process_log_.log(level, message, text);
}

Connected WorkerExchange::finish(const Outcome& outcome, std::string_view cause) noexcept {
  clock_.end(base::Clock::now());
  const base::ScopeExit give_back([this] { give_back_memory(); });
  return base::unless_out_of_memory([&] { return tell_outcome(outcome, cause); },
                                    [this] {
                                      give_up_for_memory();
                                      const Lock lock(mutex_);
                                      const bool unsent = reply_ == Reply::unsent && !lost_;
                                      if (unsent) refuse_for_memory(*connection_);
                                      return Connected::close;
                                    });
}

// A large head is rare, and each thread has an exchange of its own.
void WorkerExchange::give_back_memory() noexcept {
  const Lock lock(mutex_);
  if (payload_.capacity() <= wire::kPayloadBytesMax) return;
  request_ = {};
  environ_ = {};
  payload_ = {};
}

Connected WorkerExchange::tell_outcome(const Outcome& outcome, std::string_view cause) {
  announce_reply();
  const Lock lock(mutex_);
  if (reply_ == Reply::ended) return Connected::released;
  if (lost_) return Connected::close;
  const bool unsent = reply_ == Reply::unsent;
  const int status = short_of_memory_                         ? kServiceUnavailable
                     : outcome.kind == Outcome::Kind::refused ? outcome.status
                                                              : kInternalServerError;
  if (outcome.kind == Outcome::Kind::outdated) {
    wire::encode_retry({.reason = "the script has changed"}, batch_.encoded());
  } else if (outcome.import_failed && !request_.last_resort) {
    wire::encode_retry({.lacks_script = true, .reason = outcome.why}, batch_.encoded());
  } else {
    if (outcome.import_failed) cause = outcome.why;
    wire::encode_error({static_cast<std::uint16_t>(unsent ? status : 0), cause}, batch_.encoded());
  }
  const bool told = flush_locked();
  return told && unsent ? Connected::reuse : Connected::close;
}

// --- From outside ---

std::string WorkerExchange::script_of(std::uint64_t number) const {
  const Lock lock(mutex_, std::try_to_lock);
  return lock && clock_.runs(number) ? std::string(request_.target.script) : std::string();
}

void WorkerExchange::note(std::uint64_t number, LogLevel level, Message message,
                          std::string_view text) noexcept {
  {
    const Lock lock(mutex_, std::try_to_lock);
    const bool sent = lock && clock_.runs(number) && connection_ != nullptr && !lost_ &&
                      base::unless_out_of_memory(
                          [&] {
                            wire::encode_log({level, message, text}, batch_.encoded());
                            return send_note_locked();
                          },
                          [this] {
                            drop_half_made_locked();
                            return false;
                          });
    if (sent) return;
  }
  process_log_.log(level, message, text);
}

// Only what the socket takes at once. A full one may only be that of a slow client; but what has
// left in part cannot be taken back.
bool WorkerExchange::send_note_locked() {
  const Io outcome = connection_->write_some(batch_);
  if (outcome != Io::done && (outcome != Io::timeout || batch_.bytes_sent() != 0)) {
    lose_locked("the httpd child does not take a record of its request's log");
  }
  batch_.clear();
  return outcome == Io::done;
}

bool WorkerExchange::give_up(std::uint64_t number, int status, std::string_view cause) noexcept {
  const Lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  if (!clock_.runs(number) || connection_ == nullptr || lost_) return true;
  const bool unsent = reply_ == Reply::unsent;
  // Without the frame the child sees the connection end.
  base::if_memory_allows([&] {
    wire::encode_error({static_cast<std::uint16_t>(unsent ? status : 0), cause}, batch_.encoded());
    static_cast<void>(connection_->write_some(batch_));
  });
  lose_locked(cause);
  ::shutdown(connection_->fd(), SHUT_RDWR);
  return true;
}

}  // namespace pyhost::worker

#include "worker/worker_exchange.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "base/short_text.h"
#include "os/fork_watch.h"
#include "pyhost/gateway/http_status.h"
#include "worker/refusal_frame.h"

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

std::string refusal_frame() {
  std::string frame;
  wire::encode_error({.status = gateway::kServiceUnavailable,
                      .cause = "the worker has no memory for it",
                      .failure = gateway::FailureCause::out_of_memory},
                     frame);
  return frame;
}

}  // namespace

WorkerExchange::WorkerExchange(base::LogSink& process_log, wire::Timeout reply_timeout,
                               std::function<void()> before_reply)
    : process_log_(process_log),
      line_(process_log, reply_timeout),
      before_reply_(std::move(before_reply)),
      refusal_(refusal_frame()) {}

void WorkerExchange::refuse_for_memory(const wire::Connection& connection) const noexcept {
  static_cast<void>(
      ::send(connection.fd(), refusal_.data(), refusal_.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

bool WorkerExchange::begin(wire::Connection& connection, std::string_view payload,
                           std::function<void()> on_end) {
  const Held held = line_.hold();
  payload_.assign(payload);
  auto request = wire::decode_request(payload_, environ_);
  if (!request) return false;
  request_ = *request;
  line_.begin(held, connection, request_.target.script);
  on_end_ = std::move(on_end);
  arrived_ = request_.body;
  body_follows_ = request_.body_follows;
  request_.head.worker_start_us = base::now_us();
  reset_request();
  return true;
}

void WorkerExchange::reset_request() noexcept {
  short_of_memory_ = false;
  fault_ = BodyFault::none;
  reply_ = Reply::unsent;
  announced_ = false;
  clock_.begin(base::Clock::now());
}

std::size_t WorkerExchange::take_arrived(std::span<char> into) noexcept {
  const std::size_t bytes = std::min(into.size(), arrived_.size());
  std::copy_n(arrived_.begin(), bytes, into.begin());
  arrived_.remove_prefix(bytes);
  return bytes;
}

gateway::BodyRead WorkerExchange::read_body(std::span<char> into) noexcept {
  if (arrived_.empty() && body_follows_ && fault_ == BodyFault::none) {
    base::unless_out_of_memory([this] { ask_for_body(); },
                               [this] {
                                 give_up_for_memory();
                                 // What the child has sent of the body may be half read.
                                 const Held held = line_.hold();
                                 line_.lose(held, "there is no memory for the request body");
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
    const Held held = line_.hold();
    if (!line_.is_open(held)) return;
    connection = &line_.connection(held);
    wire::encode_empty(FrameType::need_body, line_.batch(held).encoded());
    if (!line_.flush(held)) return;
    line_.await_body(true);
  }
  // Others may log meanwhile: reading and writing do not touch each other.
  wire::Frame frame;
  bool read = false;
  do {
    read = connection->read_frame(frame, wire::kNoTimeout) == Io::done;
  } while (read && frame.type == FrameType::cancel);
  line_.await_body(false);
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
  const Held held = line_.hold();
  line_.lose(held, read ? fmt::format("the httpd child sent {} for the request body",
                                      wire::name_of(frame.type))
                        : "the httpd child has closed the connection");
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

void WorkerExchange::give_up_for_memory() noexcept {
  bool told = false;
  {
    const Held held = line_.hold();
    line_.drop(held);
    told = std::exchange(short_of_memory_, true);
  }
  if (told) return;
  const base::ShortText text("{} was given up in mid-request", request_.target.script);
  process_log_.log(LogLevel::error, Message::memory_exhausted, text.view());
}

SendResult WorkerExchange::send_part(const ReplyPart& part) {
  if (ForkWatch::in_forked_process()) return SendResult::client_gone;
  bool ended = false;
  announce_reply();
  {
    const Held held = line_.hold();
    if (short_of_memory_ || !line_.is_open(held)) return SendResult::client_gone;
    if (reply_ != Reply::unsent && line_.client_gone(held)) return SendResult::client_gone;
    if (!encode(held, part)) return SendResult::client_gone;
    ended = part.then == ReplyPart::Then::end;
    if (!(ended ? end_reply(held, part.figures) : line_.flush(held)))
      return SendResult::client_gone;
  }
  if (ended) on_end_();
  return SendResult::sent;
}

bool WorkerExchange::encode(const Held& held, const ReplyPart& part) {
  wire::FrameBatch& batch = line_.batch(held);
  if (part.head != nullptr && !wire::encode_head(*part.head, batch.encoded())) {
    wire::encode_log({LogLevel::error, Message::head_too_large,
                      fmt::format("the response headers of {} are larger than {} bytes",
                                  request_.target.script, wire::kPayloadBytesMax)},
                     batch.encoded());
    line_.flush(held);
    return false;
  }
  for (const std::string_view block : part.blocks) batch.add_body(FrameType::reply_body, block);
  if (part.file != nullptr) {
    wire::encode_file({part.file->offset, part.file->length}, batch.encoded());
    batch.attach_file(part.file->fd);
  }
  if (part.then == ReplyPart::Then::pause) {
    wire::encode_empty(FrameType::flush, batch.encoded());
  }
  reply_ = Reply::open;
  return true;
}

// What there is no memory for is left out.
void WorkerExchange::send_early_hints(std::span<const gateway::Header> headers) noexcept {
  if (ForkWatch::in_forked_process()) return;
  base::if_memory_allows([&] {
    announce_reply();
    std::string frame;
    if (!wire::encode_headers(wire::FrameType::early_hints, headers, frame)) return;
    const Held held = line_.hold();
    if (short_of_memory_ || reply_ != Reply::unsent || !line_.is_open(held)) return;
    line_.batch(held).encoded() += frame;
    line_.flush(held);
  });
}

bool WorkerExchange::client_gone() noexcept {
  if (ForkWatch::in_forked_process()) return true;
  const Held held = line_.hold();
  return line_.client_gone(held);
}

bool WorkerExchange::end_reply(const Held& held, const gateway::RunFigures& figures) {
  wire::encode_end(figures, line_.batch(held).encoded());
  if (!line_.flush(held)) return false;
  reply_ = Reply::ended;
  line_.release(held);
  return true;
}

template <class Encode>
bool WorkerExchange::send_record(const Encode& encode) noexcept {
  if (ForkWatch::in_forked_process()) return false;
  const Held held = line_.hold();
  return line_.is_open(held) && base::unless_out_of_memory(
                                    [&] {
                                      encode(line_.batch(held).encoded());
                                      return line_.flush(held);
                                    },
                                    [&] {
                                      line_.drop(held);
                                      return false;
                                    });
}

void WorkerExchange::log(LogLevel level, Message message, std::string_view text) noexcept {
  const auto encode = [&](std::string& out) { wire::encode_log({level, message, text}, out); };
  if (!send_record(encode)) process_log_.log(level, message, text);
}

void WorkerExchange::log_application(const base::ApplicationRecord& record) noexcept {
  const auto encode = [&](std::string& out) { wire::encode_record(record, out); };
  if (!send_record(encode)) process_log_.log_application(record);
}

Connected WorkerExchange::finish(const Outcome& outcome, std::string_view cause) noexcept {
  clock_.end(base::Clock::now(), !request_.head.ignores_activity);
  const base::ScopeExit give_back([this] { give_back_memory(); });
  return base::unless_out_of_memory([&] { return tell_outcome(outcome, cause); },
                                    [this] {
                                      give_up_for_memory();
                                      const Held held = line_.hold();
                                      const bool unsent =
                                          reply_ == Reply::unsent && !line_.is_lost(held);
                                      if (unsent) refuse_for_memory(line_.connection(held));
                                      return Connected::close;
                                    });
}

std::string WorkerExchange::hand_over() noexcept {
  clock_.end(base::Clock::now(), false);
  const Held held = line_.hold();
  line_.release(held);
  request_ = {};
  environ_.clear();
  return std::exchange(payload_, {});
}

// A large head is rare, and each thread has an exchange of its own.
void WorkerExchange::give_back_memory() noexcept {
  const Held held = line_.hold();
  if (payload_.capacity() <= wire::kPayloadBytesMax) return;
  request_ = {};
  environ_ = {};
  payload_ = {};
}

Connected WorkerExchange::tell_outcome(const Outcome& outcome, std::string_view cause) {
  announce_reply();
  const Held held = line_.hold();
  if (reply_ == Reply::ended) return Connected::released;
  if (line_.is_lost(held)) return Connected::close;
  const bool unsent = reply_ == Reply::unsent;
  const int status = short_of_memory_                         ? gateway::kServiceUnavailable
                     : outcome.kind == Outcome::Kind::refused ? outcome.status
                                                              : gateway::kInternalServerError;
  encode_refusal(
      {.outcome = outcome,
       .status = unsent ? status : 0,
       .cause = cause,
       .failure = short_of_memory_ ? gateway::FailureCause::out_of_memory : outcome.failure,
       .last_resort = request_.last_resort},
      line_.batch(held).encoded());
  const bool told = line_.flush(held);
  return told && unsent ? Connected::reuse : Connected::close;
}

// --- From outside ---

std::string WorkerExchange::script_of(std::uint64_t number) const {
  const Held held = line_.try_to_hold();
  return held && clock_.runs(number) ? std::string(request_.target.script) : std::string();
}

RequestLine WorkerExchange::request_line_of(std::uint64_t number) const {
  const Held held = line_.try_to_hold();
  return held && clock_.runs(number) ? request_line_in(request_.head) : RequestLine();
}

void WorkerExchange::note(std::uint64_t number, LogLevel level, Message message,
                          std::string_view text) noexcept {
  {
    const Held held = line_.try_to_hold();
    const bool sent = held && clock_.runs(number) && line_.is_open(held) &&
                      base::unless_out_of_memory(
                          [&] {
                            wire::encode_log({level, message, text}, line_.batch(held).encoded());
                            return line_.send_at_once(held);
                          },
                          [&] {
                            line_.drop(held);
                            return false;
                          });
    if (sent) return;
  }
  process_log_.log(level, message, text);
}

bool WorkerExchange::give_up(std::uint64_t number, gateway::FailureCause failure,
                             std::string_view cause) noexcept {
  const Held held = line_.try_to_hold();
  if (!held) return false;
  if (!clock_.runs(number) || !line_.is_open(held)) return true;
  const bool unsent = reply_ == Reply::unsent;
  // Without the frame the child sees the connection end.
  base::if_memory_allows([&] {
    const std::uint16_t status = unsent ? gateway::kGatewayTimeout : 0;
    wire::encode_error({.status = status, .cause = cause, .failure = failure},
                       line_.batch(held).encoded());
    static_cast<void>(line_.connection(held).write_some(line_.batch(held)));
  });
  line_.lose(held, cause);
  ::shutdown(line_.connection(held).fd(), SHUT_RDWR);
  return true;
}

}  // namespace pyhost::worker

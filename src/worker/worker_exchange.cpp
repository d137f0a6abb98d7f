#include "worker/worker_exchange.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace pyhost::worker {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::ClientState;
using gateway::Outcome;
using gateway::ReplyPart;
using gateway::SendResult;
using wire::FrameType;
using wire::Io;

bool WorkerExchange::begin(wire::Connection& connection, std::string_view payload,
                           std::function<void()> on_end) {
  payload_.assign(payload);
  auto request = wire::decode_request(payload_, environ_);
  if (!request) return false;
  request_ = *request;
  connection_ = &connection;
  on_end_ = std::move(on_end);
  lost_ = false;
  arrived_ = request_.body;
  body_follows_ = request_.body_follows;
  fault_ = BodyFault::none;
  reply_ = Reply::unsent;
  began_ = std::chrono::steady_clock::now();
  body_bytes_ = 0;
  reply_bytes_ = 0;
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
  if (arrived_.empty() && body_follows_ && fault_ == BodyFault::none) ask_for_body();
  if (fault_ != BodyFault::none) return {0, fault_};
  return {take_arrived(into), BodyFault::none};
}

// One NEED_BODY brings one frame: what is on its way always fits the child's and our memory, and
// neither side writes while the other one does not read. There is no limit in time: the child has
// httpd's for its client, and if the child dies the connection ends.
void WorkerExchange::ask_for_body() noexcept {
  if (connection_ == nullptr || lost_) {
    fault_ = BodyFault::client_gone;
    return;
  }
  wire::encode_empty(FrameType::need_body, batch_.encoded());
  wire::Frame frame;
  if (!flush() || connection_->read_frame(frame, wire::kNoTimeout) != Io::done) {
    fault_ = lose("the httpd child has closed the connection");
    return;
  }
  if (frame.type == FrameType::body) {
    body_piece_.assign(frame.payload);
    arrived_ = body_piece_;
    return;
  }
  const auto fault =
      frame.type == FrameType::body_end ? wire::decode_body_end(frame.payload) : std::nullopt;
  if (fault) {
    body_follows_ = false;
    fault_ = *fault;
  } else {
    fault_ = lose(
        fmt::format("the httpd child sent {} for the request body", wire::name_of(frame.type)));
  }
}

BodyFault WorkerExchange::lose(std::string_view why) noexcept {
  if (!lost_) {
    process_log_.log(LogLevel::debug, Message::child_gone,
                     fmt::format("{} during a request for {}", why, request_.target.script));
  }
  lost_ = true;
  batch_.clear();
  return BodyFault::client_gone;
}

// False when the child has gone. It sends nothing but ABORT while it is not asked for the body, so
// whatever comes in between ends the reply.
bool WorkerExchange::flush() noexcept {
  while (true) {
    const Io outcome = connection_->write_some(batch_);
    if (outcome == Io::done) break;
    if (outcome != Io::timeout) {
      lose("the httpd child has gone");
      return false;
    }
    const short ready = connection_->wait(POLLIN | POLLOUT, socket_timeout_);
    if (ready == 0 || (ready & POLLIN) != 0) {
      lose(ready == 0 ? "the httpd child did not take the reply within socket-timeout"
                      : "the client has gone");
      return false;
    }
  }
  batch_.clear();
  return true;
}

SendResult WorkerExchange::send(const ReplyPart& part) noexcept {
  if (connection_ == nullptr) return SendResult::client_gone;
  if ((lost_ || reply_ != Reply::unsent) && client_state() == ClientState::gone) {
    return SendResult::client_gone;
  }
  if (part.head != nullptr && !wire::encode_head(*part.head, batch_.encoded())) {
    log(LogLevel::error, Message::head_too_large,
        fmt::format("the response headers of {} are larger than {} bytes", request_.target.script,
                    wire::kPayloadBytesMax));
    return SendResult::client_gone;
  }
  reply_ = Reply::open;
  for (const std::string_view block : part.blocks) {
    batch_.add_body(FrameType::reply_body, block);
    reply_bytes_ += block.size();
  }
  if (part.file != nullptr) {
    wire::encode_file({part.file->offset, part.file->length}, batch_.encoded());
    batch_.attach_file(part.file->fd);
    reply_bytes_ += part.file->length;
  }
  switch (part.then) {
    case ReplyPart::Then::more:
      break;
    case ReplyPart::Then::pause:
      wire::encode_empty(FrameType::flush, batch_.encoded());
      break;
    case ReplyPart::Then::end:
      end_reply();
      return lost_ ? SendResult::client_gone : SendResult::sent;
  }
  return flush() ? SendResult::sent : SendResult::client_gone;
}

// Between two answers the child sends nothing but ABORT, and closes.
ClientState WorkerExchange::client_state() noexcept {
  if (!lost_ && connection_ != nullptr && !connection_->idle()) lose("the client has gone");
  return lost_ ? ClientState::gone : ClientState::ready;
}

void WorkerExchange::end_reply() noexcept {
  const auto elapsed = std::chrono::steady_clock::now() - began_;
  wire::encode_end({.application_us = static_cast<std::uint64_t>(
                        std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()),
                    .body_bytes_read = body_bytes_,
                    .reply_bytes = reply_bytes_},
                   batch_.encoded());
  if (!flush()) return;
  reply_ = Reply::ended;
  connection_ = nullptr;
  on_end_();
}

void WorkerExchange::log(LogLevel level, Message message, std::string_view text) noexcept {
  if (connection_ != nullptr && !lost_) {
    wire::encode_log({level, message, text}, batch_.encoded());
    if (flush()) return;
  }
  process_log_.log(level, message, text);
}

Connected WorkerExchange::finish(const Outcome& outcome, std::string_view cause) noexcept {
  if (reply_ == Reply::ended) return Connected::released;
  if (lost_) return Connected::close;
  constexpr int kInternalServerError = 500;
  const bool unsent = reply_ == Reply::unsent;
  const int status = outcome.kind == Outcome::Kind::refused ? outcome.status : kInternalServerError;
  wire::encode_error({static_cast<std::uint16_t>(unsent ? status : 0), cause}, batch_.encoded());
  return flush() && unsent ? Connected::reuse : Connected::close;
}

}  // namespace pyhost::worker

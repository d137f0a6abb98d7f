#include "remote/relay.h"

#include <fmt/format.h>

#include "wire/messages.h"

namespace pyhost::remote {
namespace {

using base::Message;
using gateway::ReplyPart;
using gateway::SendResult;
using wire::Connection;
using wire::Frame;
using wire::FrameType;
using wire::Io;
using Kind = Attempt::Kind;

constexpr int kInternalServerError = 500;
constexpr int kBadGateway = 502;
constexpr int kGatewayTimeout = 504;

}  // namespace

Attempt Relay::run(const gateway::Target& target) {
  if (auto ended = send_request(target)) return *std::move(ended);
  Frame frame;
  while (true) {
    switch (line_.connection.next(frame)) {
      case Connection::Next::frame:
        heard_ = true;
        if (auto ended = handle(frame)) return *std::move(ended);
        continue;
      case Connection::Next::malformed:
        return fail(Io::malformed);
      case Connection::Next::incomplete:
        break;
    }
    // What has arrived lies in the buffer that is about to be used again.
    if (pending() && !line_.connection.rest_fits_in_place()) {
      if (auto ended = pass_on(ReplyPart::Then::more)) return *std::move(ended);
    }
    if (const Io outcome = line_.connection.fill(timeout_); outcome != Io::done) {
      return fail(outcome);
    }
  }
}

Relay::Step Relay::send_request(const gateway::Target& target) {
  line_.batch.clear();
  line_.blocks.clear();
  const wire::RequestMessage message{.target = target,
                                     .head = exchange_.head(),
                                     .body = body_.in_memory(),
                                     .body_follows = body_.follows()};
  if (!wire::encode_request(message, line_.batch.encoded())) {
    reusable_ = true;
    return Attempt{
        Kind::failed, kInternalServerError, Message::frame_malformed,
        fmt::format("the request's headers do not fit {} bytes", wire::kPayloadBytesMax)};
  }
  const Io outcome = line_.connection.write(line_.batch, timeout_);
  if (outcome == Io::done) return std::nullopt;
  if (outcome == Io::timeout) return fail(outcome);
  // A request that has not left completely is not understood.
  return Attempt{Kind::again, 0, Message::worker_lost, "the worker closed the connection"};
}

Relay::Step Relay::handle(const Frame& frame) {
  switch (frame.type) {
    case FrameType::head:
      return begin_reply(frame);
    case FrameType::reply_body:
      if (!head_seen_) break;
      line_.blocks.push_back(frame.payload);
      return std::nullopt;
    case FrameType::reply_file:
      return take_file(frame);
    case FrameType::flush:
      if (!head_seen_) break;
      return pass_on(ReplyPart::Then::pause);
    case FrameType::need_body:
      return answer_need_body();
    case FrameType::log:
      log(frame);
      return std::nullopt;
    case FrameType::end:
      if (!head_seen_) break;
      return end();
    case FrameType::error:
      return end_with_error(frame);
    case FrameType::retry:
      if (head_seen_ || body_bytes_sent_ != 0) break;
      reusable_ = true;
      return Attempt{Kind::again, 0, Message::retries_exhausted,
                     std::string(wire::decode_retry(frame.payload).value_or(""))};
    default:
      break;
  }
  return malformed(fmt::format("the worker sent {} at the wrong time", wire::name_of(frame.type)));
}

Relay::Step Relay::begin_reply(const Frame& frame) {
  const auto head = wire::decode_head(frame.payload, line_.headers);
  if (!head || head_seen_) return malformed("the worker sent a malformed HEAD");
  head_seen_ = true;
  head_ = *head;
  return std::nullopt;
}

Relay::Step Relay::take_file(const Frame& frame) {
  const auto message = wire::decode_file(frame.payload);
  base::UniqueFd file = line_.connection.take_file();
  if (!message || !file.valid() || !head_seen_) {
    return malformed("the worker sent a malformed REPLY_FILE");
  }
  if (file_.valid()) {
    if (auto ended = pass_on(ReplyPart::Then::more)) return ended;
  }
  file_ = std::move(file);
  range_ = {.fd = file_.get(), .offset = message->offset, .length = message->length};
  return std::nullopt;
}

// One piece for each NEED_BODY: see worker/worker_exchange.cpp.
Relay::Step Relay::answer_need_body() {
  if (pending()) {
    if (auto ended = pass_on(ReplyPart::Then::more)) return ended;
  }
  const RequestBody::Piece piece = body_.next();
  line_.batch.clear();
  if (piece.bytes.empty()) {
    wire::encode_body_end(piece.fault, line_.batch.encoded());
  } else {
    line_.batch.add_body(FrameType::body, piece.bytes);
  }
  const Io outcome = line_.connection.write(line_.batch, timeout_);
  body_bytes_sent_ += piece.bytes.size();
  return outcome == Io::done ? std::nullopt : Step(fail(outcome));
}

Relay::Step Relay::pass_on(ReplyPart::Then then) {
  ReplyPart part{.blocks = line_.blocks, .then = then};
  if (head_) part.head = &*head_;
  if (file_.valid()) part.file = &range_;
  const SendResult result = exchange_.send(part);
  head_sent_ = true;
  head_.reset();
  line_.blocks.clear();
  file_.reset();
  if (result == SendResult::sent) return std::nullopt;
  line_.batch.clear();
  wire::encode_empty(FrameType::abort, line_.batch.encoded());
  static_cast<void>(line_.connection.write_some(line_.batch));
  reusable_ = false;
  return Attempt{Kind::client_gone};
}

Relay::Step Relay::end() {
  reusable_ = true;
  if (auto ended = pass_on(ReplyPart::Then::end)) return ended;
  return Attempt{Kind::complete};
}

Attempt Relay::end_with_error(const Frame& frame) {
  const auto error = wire::decode_error(frame.payload);
  if (!error) return malformed("the worker sent a malformed ERROR");
  if (error->status != 0 && !head_seen_) {
    reusable_ = true;
    return {Kind::refused, error->status, Message::reply_broken, std::string(error->cause)};
  }
  if (head_ && !head_sent_) {
    // Nothing of the reply has reached the client, so it can still be told properly.
    return {Kind::refused, kInternalServerError, Message::reply_broken, std::string(error->cause)};
  }
  return {Kind::broken, kInternalServerError, Message::reply_broken, std::string(error->cause)};
}

void Relay::log(const Frame& frame) {
  const auto record = wire::decode_log(frame.payload);
  if (record && exchange_.wants(record->level)) {
    exchange_.log(record->level, record->message, record->text);
  }
}

Attempt Relay::fail(Io outcome) {
  switch (outcome) {
    case Io::timeout:
      return {Kind::failed, kGatewayTimeout, Message::worker_silent,
              fmt::format("the worker gave no sign of life for {:g} s",
                          std::chrono::duration<double>(timeout_).count())};
    case Io::malformed:
      return malformed(line_.connection.fault());
    case Io::reset:
      // The kernel tells when the other end has gone without having read what it was sent.
      if (!heard_) {
        return {Kind::again, 0, Message::worker_lost, "the worker ended before it saw the request"};
      }
      break;
    default:
      break;
  }
  return {Kind::lost, kBadGateway, Message::worker_lost, "the worker closed the connection"};
}

Attempt Relay::malformed(std::string what) {
  return {Kind::failed, kBadGateway, Message::frame_malformed, std::move(what)};
}

}  // namespace pyhost::remote

#include "websocket/message_reader.h"

#include <utility>

namespace pyhost::websocket {

using Event = MessageReader::Event;
using Kind = MessageReader::Event::Kind;

Event MessageReader::fault(int code, std::string_view why) noexcept {
  over_ = true;
  return {.kind = Kind::fault, .text = why, .code = code};
}

Event MessageReader::next(std::string_view& bytes) {
  while (!over_) {
    const FrameReader::Step step = frames_.next(bytes);
    Event event;
    switch (step.kind) {
      case FrameReader::Step::Kind::incomplete:
        return {};
      case FrameReader::Step::Kind::malformed:
        return fault(kCloseProtocolError, step.why);
      case FrameReader::Step::Kind::head:
        event = begin_frame();
        break;
      case FrameReader::Step::Kind::payload:
        event = is_control(frames_.head().opcode) ? take_control(step) : take_data(step);
        break;
    }
    if (event.kind != Kind::incomplete) return event;
  }
  bytes = {};
  return {};
}

Event MessageReader::begin_frame() noexcept {
  const FrameHead& head = frames_.head();
  control_.clear();
  if (is_control(head.opcode)) return {};
  const bool continues = head.opcode == Opcode::continuation;
  const bool is_under_way = opcode_ != Opcode::continuation;
  if (continues && !is_under_way) {
    return fault(kCloseProtocolError, "a message begins with a continuation");
  }
  if (!continues && is_under_way) {
    return fault(kCloseProtocolError, "a message begins within another one");
  }
  if (!continues) {
    opcode_ = head.opcode;
    is_compressed_ = head.is_compressed;
    utf8_ = {};
  }
  if (!is_compressed_ && head.length > message_bytes_max_ - message_.size()) {
    return fault(kCloseTooLarge, "a message is too large");
  }
  return {};
}

// --- Control frames --------------------------------------------------------------------------

Event MessageReader::take_control(const FrameReader::Step& piece) {
  frames_.append(piece, control_);
  if (!piece.is_last) return {};
  switch (frames_.head().opcode) {
    case Opcode::ping:
      return {.kind = Kind::ping, .text = control_};
    case Opcode::pong:
      return {.kind = Kind::pong, .text = control_};
    default:
      return take_close();
  }
}

Event MessageReader::take_close() noexcept {
  over_ = true;
  if (control_.empty()) return {.kind = Kind::close, .code = kCloseNoCode};
  if (control_.size() == 1) return fault(kCloseProtocolError, "a Close has half a code");
  const auto byte = [&](std::size_t at) { return int(static_cast<unsigned char>(control_[at])); };
  const int code = byte(0) << 8 | byte(1);
  if (!is_sendable_code(code)) {
    return fault(kCloseProtocolError, "a Close has a code that none may have");
  }
  const std::string_view reason = std::string_view(control_).substr(2);
  Utf8Check check;
  if (!check.take(reason) || !check.complete()) {
    return fault(kCloseNotUtf8, "the reason of a Close is no UTF-8");
  }
  return {.kind = Kind::close, .text = reason, .code = code};
}

// --- Messages --------------------------------------------------------------------------------

// What is wrong with the piece, if anything is.
std::optional<Event> MessageReader::inflate(const FrameReader::Step& piece) {
  deflated_.clear();
  frames_.append(piece, deflated_);
  Inflater::Result result = inflater_->inflate(deflated_, message_, message_bytes_max_);
  const bool ends = piece.is_last && frames_.head().is_final;
  if (result == Inflater::Result::done && ends) {
    result = inflater_->end_message(message_, message_bytes_max_);
  }
  switch (result) {
    case Inflater::Result::too_large:
      return fault(kCloseTooLarge, "a message is too large");
    case Inflater::Result::malformed:
      return fault(kCloseNotUtf8, "a compressed message cannot be inflated");
    case Inflater::Result::done:
      break;
  }
  return std::nullopt;
}

Event MessageReader::take_data(const FrameReader::Step& piece) {
  const std::size_t before = message_.size();
  if (is_compressed_) {
    if (const auto wrong = inflate(piece)) return *wrong;
  } else {
    frames_.append(piece, message_);
  }
  const std::string_view added = std::string_view(message_).substr(before);
  if (opcode_ == Opcode::text && !utf8_.take(added)) {
    return fault(kCloseNotUtf8, "a text is no UTF-8");
  }
  return piece.is_last && frames_.head().is_final ? end_message() : Event();
}

Event MessageReader::end_message() noexcept {
  const bool is_text = std::exchange(opcode_, Opcode::continuation) == Opcode::text;
  if (is_text && !utf8_.complete()) return fault(kCloseNotUtf8, "a text ends within a character");
  return {.kind = is_text ? Kind::text : Kind::bytes};
}

}  // namespace pyhost::websocket

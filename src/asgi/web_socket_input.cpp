// What the client of a WebSocket sends.

#include <fmt/format.h>

#include <utility>

#include "asgi/web_socket_exchange.h"
#include "base/out_of_memory.h"
#include "websocket/protocol.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::DetachScope;
using websocket::MessageReader;

// Whether there is something to look for, and room for it.
bool WebSocketExchange::reads_on(Attached& py) {
  if (course_.stage() == Stage::closing) return true;
  if (course_.stage() != Stage::open) return false;
  switch (inbox_.room()) {
    case SocketInbox::Room::yes:
      return true;
    case SocketInbox::Room::when_empty:
      is_paused_ = true;
      return false;
    case SocketInbox::Room::never:
      break;
  }
  log_detached(py, LogLevel::warn, Message::socket_input_bound,
               fmt::format("a WebSocket of {} is closed: the messages that are under way have more "
                           "than {} bytes in sum",
                           channel_or_null_->target().script, kUnreadBytesOfLoopMax));
  carry_out(py, course_.hear_fault(websocket::kCloseTryAgainLater, "the server is busy"));
  return false;
}

// False when nothing has come.
bool WebSocketExchange::find_unread(Attached& py) {
  if (!unread_.empty()) return true;
  const gateway::BodyPiece piece = channel_or_null_->take_body();
  unread_ = piece.bytes;
  if (!unread_.empty()) {
    if (pings_) pings_->hear();
    return true;
  }
  if (piece.complete || piece.fault != gateway::BodyFault::none) carry_out(py, course_.lose());
  return false;
}

// What the channel has given does not stay.
void WebSocketExchange::keep_unread() {
  const bool is_kept = !kept_.empty() && unread_.data() >= kept_.data() &&
                       unread_.data() <= kept_.data() + kept_.size();
  if (unread_.empty()) {
    kept_.clear();
    unread_ = {};
  } else if (!is_kept) {
    kept_.assign(unread_);
    unread_ = kept_;
  }
}

// What is large takes its time, in which others may run Python.
MessageReader::Event WebSocketExchange::next_event(Attached& py) {
  constexpr std::size_t kLargeBytes = 16 * 1024;
  if (unread_.size() < kLargeBytes) return reader_->next(unread_);
  const DetachScope detached(py);
  return reader_->next(unread_);
}

void WebSocketExchange::read(Attached& py) {
  if (!reader_ || is_reading_ || channel_or_null_ == nullptr) return;
  const std::shared_ptr<Exchange> self = shared_from_this();
  is_reading_ = true;
  is_paused_ = false;
  base::unless_out_of_memory([&] { read_on(py); }, [&] { lack_memory(py); });
  is_reading_ = false;
}

void WebSocketExchange::read_on(Attached& py) {
  while (reads_on(py) && find_unread(py)) {
    const MessageReader::Event event = next_event(py);
    inbox_.note_under_way(reader_->bytes_kept());
    act(py, event);
  }
  keep_unread();
}

// A part of what has come is lost.
void WebSocketExchange::lack_memory(Attached& py) {
  unread_ = {};
  log_detached(py, LogLevel::error, Message::memory_exhausted,
               "there is no memory left for what the client of a WebSocket sends; it is closed");
  give_up_client(py, course_.hear_fault(websocket::kCloseInternalError, {}));
}

void WebSocketExchange::act(Attached& py, const MessageReader::Event& event) {
  using Kind = MessageReader::Event::Kind;
  switch (event.kind) {
    case Kind::incomplete:
    case Kind::pong:
      return;
    case Kind::text:
    case Kind::bytes: {
      SocketInbox::Message message{event.kind == Kind::text, reader_->take_message()};
      inbox_.note_under_way(0);
      if (!course_.takes_messages()) return;
      inbox_.push(std::move(message));
      return waiters_.wake(py, parts_);
    }
    case Kind::ping:
      return pong(py, event.text);
    case Kind::close:
      return carry_out(py, course_.hear_close(event.code, event.text));
    case Kind::fault:
      log_detached(py, LogLevel::info, Message::socket_fault,
                   fmt::format("the client of a WebSocket of {} has broken the protocol: {}; it is "
                               "closed with {}",
                               channel_or_null_->target().script, event.text, event.code));
      return carry_out(py, course_.hear_fault(event.code, event.text));
  }
}

// A client that takes nothing is owed one answer, whatever it sends (RFC 6455, 5.5.3).
void WebSocketExchange::pong(Attached& py, std::string_view payload) {
  if (course_.stage() != Stage::open) return;
  if (full_) {
    owed_pong_ = payload;
  } else {
    send_bytes(py, websocket::control_frame(websocket::Opcode::pong, payload));
  }
}

}  // namespace pyhost::asgi

// What an application sends to a WebSocket.

#include <array>
#include <utility>

#include "asgi/web_socket_exchange.h"
#include "asgi/web_socket_offer.h"
#include "base/out_of_memory.h"
#include "pyhost/gateway/http_status.h"
#include "websocket/protocol.h"

namespace pyhost::asgi {

using gateway::ReplyPart;
using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::Ref;
using websocket::FrameStart;
using websocket::MessageFrames;
using websocket::Opcode;

Progress WebSocketExchange::raise_closed() const {
  PyErr_SetString(parts_.client_disconnected.get(), "the WebSocket is closed");
  return Progress::failed;
}

Progress WebSocketExchange::send(Send& call, Ref& value) {
  const bool is_over = accepted_ && course_.stage() != Stage::open;
  if (is_over || channel_or_null_ == nullptr) {
    leave_line(call);
    return raise_closed();
  }
  if (call.begun != 0) return go_on(call, value);
  if (outgoing_ && !call.ticket) call.ticket = line_.join();
  if (!is_its_turn(call) || outgoing_) return wait(value);
  CalledByPython py = attached();
  const bool taken = take_event(py, call);
  // Whoever comes next waits for the rest of the message.
  leave_line(call);
  if (!taken) return Progress::failed;
  return call.begun != 0 ? go_on(call, value) : give(Ref::share(Py_None), value);
}

// The rest of a message leaves as there is room, whether somebody waits for it or not.
Progress WebSocketExchange::go_on(const Send& call, Ref& value) {
  const bool is_done = !outgoing_ || outgoing_->number != call.begun;
  return is_done ? give(Ref::share(Py_None), value) : wait(value);
}

// False with an exception pending.
bool WebSocketExchange::take_event(Attached& py, Send& call) {
  const Names& names = parts_.names;
  PyObject* const event = call.event.get();
  const Ref type = type_of(names, event);
  if (!type) return false;
  if (is_name(type.get(), names.websocket_send)) return take_message(py, call);
  if (is_name(type.get(), names.websocket_accept)) return take_accept(py, event);
  if (is_name(type.get(), names.websocket_close)) return take_close(py, event);
  if (is_name(type.get(), names.websocket_http_response_start)) return take_denial(py, event, true);
  if (is_name(type.get(), names.websocket_http_response_body)) return take_denial(py, event, false);
  PyErr_Format(PyExc_ValueError, "the server knows no event of the type %R in a WebSocket exchange",
               type.get());
  return false;
}

// --- The answer to the handshake -------------------------------------------------------------

// Whether the handshake is unanswered; raises RuntimeError otherwise.
bool WebSocketExchange::is_to_answer(const char* type) const {
  const bool is_unanswered = !accepted_ && reply_.stage() == ReplyCourse::Stage::unstarted;
  if (is_unanswered) return true;
  PyErr_Format(PyExc_RuntimeError, "%s was sent when the handshake was answered", type);
  return false;
}

// A client that has left meanwhile is no fault of the application.
bool WebSocketExchange::take_accept(Attached& py, PyObject* event) {
  if (!is_to_answer("websocket.accept")) return false;
  auto accept = accept_of(parts_.names, event, head());
  if (!accept) return false;
  if (gone_) return true;
  watch_.tell_response(py, gateway::kSwitchingProtocols, event);
  open(py, *std::move(accept));
  return true;
}

void WebSocketExchange::agree_on_deflate(ResponseStart& accept) {
  if (!settings_.compression) return;
  const auto agreement = websocket::agree_on_deflate(extensions_offered(head()));
  if (!agreement) return;
  accept.agree_on_extensions(agreement->answer);
  deflater_.emplace(agreement->server_window_bits, agreement->server_context);
  reader_.emplace(settings_.message_bytes_max, websocket::Inflater(agreement->client_context));
}

void WebSocketExchange::open(Attached& py, ResponseStart accept) {
  agree_on_deflate(accept);
  if (!reader_) reader_.emplace(settings_.message_bytes_max);
  accepted_ = true;
  course_.accept();
  start_ = std::move(accept);
  start_->annotate(notes_.take());
  const gateway::ResponseHead switching = start_->head();
  offer(py, {.head = &switching, .then = ReplyPart::Then::pause});
  const base::TimePoint now = base::Clock::now();
  if (settings_.ping_interval.count() != 0) {
    const auto timeout =
        settings_.ping_timeout.count() != 0 ? settings_.ping_timeout : std::chrono::hours(24 * 365);
    pings_.emplace(settings_.ping_interval, timeout, now);
    host_.call_at(*this, pings_->due());
  }
  if (leave_at_) host_.call_at(*this, *leave_at_);
  host_.has_become_stream(*this);
  read(py);
}

bool WebSocketExchange::take_denial(Attached& py, PyObject* event, bool is_start) {
  if (accepted_) {
    PyErr_SetString(PyExc_RuntimeError,
                    "a response was sent to a WebSocket that has been accepted");
    return false;
  }
  if (gone_) return true;
  return is_start ? take_start(py, event) : take_body(py, event);
}

// --- Messages --------------------------------------------------------------------------------

bool WebSocketExchange::is_to_be_open(const char* type) const {
  if (accepted_) return true;
  if (gone_) {
    raise_closed();
    return false;
  }
  PyErr_Format(PyExc_RuntimeError, "%s was sent before websocket.accept", type);
  return false;
}

bool WebSocketExchange::take_message(Attached& py, Send& call) {
  if (!is_to_be_open("websocket.send")) return false;
  auto message = socket_message_of(parts_.names, call.event.get());
  if (!message) return false;
  watch_.count_output(message->payload.size());
  std::string compressed = deflated(py, message->payload);
  channel_or_null_->note_message(gateway::Channel::Way::sent);
  Outgoing& outgoing = outgoing_.emplace(Outgoing{
      .number = ++last_number_, .message = *std::move(message), .deflated = std::move(compressed)});
  const bool is_plain = outgoing.deflated.empty();
  outgoing.frames = MessageFrames(outgoing.message.is_text ? Opcode::text : Opcode::binary,
                                  is_plain ? FrameStart::Is::plain : FrameStart::Is::compressed,
                                  is_plain ? outgoing.message.payload : outgoing.deflated);
  send_frames(py);
  if (outgoing_) call.begun = outgoing_->number;
  return true;
}

// Empty when it leaves as it is. Compressed messages refer to those before them: where one is lost,
// none is compressed any more.
std::string WebSocketExchange::deflated(Attached& py, std::string_view payload) {
  if (!deflater_ || payload.size() < websocket::kDeflatedBytesMin) return {};
  const DetachScope detached(py);
  return base::unless_out_of_memory([&] { return deflater_->deflate(payload); },
                                    [&] {
                                      deflater_.reset();
                                      return std::string();
                                    });
}

// As many frames of the message as there is room for.
void WebSocketExchange::send_frames(Attached& py) {
  while (outgoing_ && !full_ && !stream_ended_) {
    const MessageFrames::Frame frame = outgoing_->frames.next();
    const bool is_last = outgoing_->frames.done();
    const std::array<std::string_view, 2> blocks = {frame.start.bytes(), frame.payload};
    offer(py, {.blocks = blocks, .then = ReplyPart::Then::pause});
    if (is_last) outgoing_.reset();
  }
}

bool WebSocketExchange::take_close(Attached& py, PyObject* event) {
  const auto close = socket_close_of(parts_.names, event);
  if (!close) return false;
  if (accepted_) {
    carry_out(py, course_.close(close->code, close->reason));
    return true;
  }
  if (!is_to_answer("websocket.close")) return false;
  if (!gone_) answer(py, gateway::kForbidden);
  return true;
}

}  // namespace pyhost::asgi

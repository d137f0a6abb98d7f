// Reads the events that an application sends to a WebSocket, and makes those that it receives.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "asgi/event_fields.h"
#include "asgi/names.h"
#include "asgi/response_start.h"
#include "pyhost/gateway/request_head.h"
#include "python/ref.h"
#include "websocket/socket_course.h"

namespace pyhost::asgi {

// A websocket.accept; a subprotocol has to be one that the client has offered. Nothing with an
// exception pending.
std::optional<ResponseStart> accept_of(const Names& names, PyObject* event,
                                       const gateway::RequestHead& head);

// A websocket.send: its payload, which stays as it is as long as this lives. Nothing with an
// exception pending.
struct SocketMessage {
  bool is_text = false;
  python::Ref text_owner = {};
  BytesView bytes_owner = {};
  std::string_view payload = {};
};
std::optional<SocketMessage> socket_message_of(const Names& names, PyObject* event);

// A websocket.close: 1000 without a code. Nothing with an exception pending.
struct SocketClose {
  int code;
  std::string reason;
};
std::optional<SocketClose> socket_close_of(const Names& names, PyObject* event);

// --- Events to be received; null with an exception pending ---
python::Ref connect_event(const Names& names);
python::Ref receive_event(const Names& names, bool is_text, std::string_view payload);
python::Ref disconnect_event(const Names& names,
                             const websocket::SocketCourse::Disconnect& disconnect);

}  // namespace pyhost::asgi

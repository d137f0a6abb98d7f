#include "asgi/web_socket_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "asgi/web_socket_offer.h"
#include "pyhost/gateway/response_rules.h"
#include "websocket/protocol.h"

namespace pyhost::asgi {

using python::Ref;

namespace {

// The UTF-8 of a str, which lives as long as it. Nothing with an exception pending.
std::optional<std::string_view> utf8_of(PyObject* text, const char* what) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(text)->tp_name);
    return std::nullopt;
  }
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);
  if (utf8 == nullptr) return std::nullopt;
  return std::string_view(utf8, std::size_t(size));
}

// A value that counts as left out when it is None. Null without an exception then.
Ref field_or_none(PyObject* event, const Ref& key) {
  Ref value = field_of(event, key);
  if (value.get() == Py_None) value.reset();
  return value;
}

bool set_subprotocol(ResponseStart& start, PyObject* value, const gateway::RequestHead& head) {
  const auto name = utf8_of(value, "the subprotocol of websocket.accept");
  if (!name) return false;
  const auto offered = subprotocols_of(head);
  if (std::ranges::find(offered, *name) == offered.end()) {
    raise(wrong_value(fmt::format("the client has not offered the subprotocol '{}'",
                                  gateway::excerpt_of(*name))));
    return false;
  }
  start.agree_on_subprotocol(*name);
  return true;
}

// With the type alone.
Ref event_of(const Names& names, const Ref& type) {
  Ref event = Ref::steal(PyDict_New());
  return event && set(event.get(), names.type, type) ? std::move(event) : Ref();
}

Ref str_of(std::string_view utf8) {
  return Ref::steal(PyUnicode_DecodeUTF8(utf8.data(), Py_ssize_t(utf8.size()), nullptr));
}

}  // namespace

std::optional<ResponseStart> accept_of(const Names& names, PyObject* event,
                                       const gateway::RequestHead& head) {
  ResponseStart start = ResponseStart::of_accept();
  const Ref subprotocol = field_or_none(event, names.subprotocol);
  if (subprotocol && !set_subprotocol(start, subprotocol.get(), head)) return std::nullopt;
  if (!subprotocol && PyErr_Occurred() != nullptr) return std::nullopt;
  if (!add_headers(names, event, start)) return std::nullopt;
  return start;
}

std::optional<SocketMessage> socket_message_of(const Names& names, PyObject* event) {
  SocketMessage message;
  message.text_owner = field_or_none(event, names.text);
  const Ref bytes =
      message.text_owner || PyErr_Occurred() == nullptr ? field_or_none(event, names.bytes) : Ref();
  if (PyErr_Occurred() != nullptr) return std::nullopt;
  if (bool(message.text_owner) == bool(bytes)) {
    PyErr_SetString(PyExc_ValueError, "websocket.send must have either 'text' or 'bytes'");
    return std::nullopt;
  }
  message.is_text = bool(message.text_owner);
  if (message.is_text) {
    const auto text = utf8_of(message.text_owner.get(), "the text of websocket.send");
    if (!text) return std::nullopt;
    message.payload = *text;
    return message;
  }
  auto view = BytesView::of(bytes.get(), "the bytes of websocket.send");
  if (!view) return std::nullopt;
  const std::string_view payload = view->bytes();
  return SocketMessage{.bytes_owner = *std::move(view), .payload = payload};
}

std::optional<SocketClose> socket_close_of(const Names& names, PyObject* event) {
  SocketClose close{.code = websocket::kCloseNormal, .reason = {}};
  if (const Ref code = field_or_none(event, names.code)) {
    const long long number = PyLong_Check(code.get()) ? PyLong_AsLongLong(code.get()) : -1;
    if (number == -1 && PyErr_Occurred() != nullptr) return std::nullopt;
    if (!websocket::is_sendable_code(number)) {
      raise(
          wrong_value("the code of websocket.close must be one that a Close may have: 1000 to "
                      "1003, 1007 to 1014, or 3000 to 4999"));
      return std::nullopt;
    }
    close.code = static_cast<int>(number);
  }
  if (PyErr_Occurred() != nullptr) return std::nullopt;
  if (const Ref reason = field_or_none(event, names.reason)) {
    const auto text = utf8_of(reason.get(), "the reason of websocket.close");
    if (!text) return std::nullopt;
    close.reason = *text;
  }
  if (PyErr_Occurred() != nullptr) return std::nullopt;
  return close;
}

Ref connect_event(const Names& names) {
  return event_of(names, names.websocket_connect);
}

Ref receive_event(const Names& names, bool is_text, std::string_view payload) {
  Ref event = event_of(names, names.websocket_receive);
  const Ref none = Ref::share(Py_None);
  const Ref value =
      is_text ? str_of(payload)
              : Ref::steal(PyBytes_FromStringAndSize(payload.data(), Py_ssize_t(payload.size())));
  const bool complete = event && set(event.get(), names.text, is_text ? value : none) &&
                        set(event.get(), names.bytes, is_text ? none : value);
  return complete ? std::move(event) : Ref();
}

Ref disconnect_event(const Names& names, const websocket::SocketCourse::Disconnect& disconnect) {
  Ref event = event_of(names, names.websocket_disconnect);
  const bool complete =
      event && set(event.get(), names.code, Ref::steal(PyLong_FromLong(disconnect.code))) &&
      set(event.get(), names.reason, str_of(disconnect.reason));
  return complete ? std::move(event) : Ref();
}

}  // namespace pyhost::asgi

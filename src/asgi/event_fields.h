// Reads the events that an application sends: dictionaries with keys of names.def.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asgi/names.h"
#include "asgi/refusal.h"
#include "asgi/response_start.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::asgi {

// The bytes of a bytes-like object (bytes, bytearray, memoryview); they stay as they are as long as
// this lives.
class BytesView {
 public:
  // Nothing with TypeError pending when it is none. `what` is for that: "the body".
  static std::optional<BytesView> of(PyObject* object, const char* what);
  BytesView() = default;
  BytesView(BytesView&& other) noexcept;
  BytesView& operator=(BytesView&&) = delete;
  ~BytesView();

  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::string_view bytes_;
  python::Ref owner_;  // of bytes that cannot change
  Py_buffer buffer_{};
};

// Makes a refusal the pending exception.
void raise(const Refusal& refusal);

// The "type" of an event; null with TypeError or ValueError pending when there is none, or the
// event is no dictionary.
python::Ref type_of(const Names& names, PyObject* event);

// Whether a str is that name. Most are the same object.
bool is_name(PyObject* text, const python::Ref& name);

// An http.response.start. Nothing with an exception pending.
std::optional<ResponseStart> response_start_of(const Names& names, PyObject* event);

// An http.response.body. Nothing with an exception pending.
struct ResponseBody {
  BytesView body;
  bool more = false;
};
std::optional<ResponseBody> response_body_of(const Names& names, PyObject* event);

// An http.response.trailers. Nothing with an exception pending.
struct ResponseTrailers {
  std::vector<std::pair<std::string, std::string>> headers;
  bool more = false;
};
std::optional<ResponseTrailers> response_trailers_of(const Names& names, PyObject* event);

// The values of an http.response.early_hint: Link headers. Nothing with an exception pending.
std::optional<std::vector<std::string>> links_of(const Names& names, PyObject* event);

// Puts it there; a null value stands for the exception that is pending then. False with one
// pending.
bool set(PyObject* dict, const python::Ref& key, const python::Ref& value);

// A str of these bytes; null with an exception pending.
python::Ref latin1_of(std::string_view text);

// A value of an event that may leave it out: null without an exception then.
python::Ref field_of(PyObject* event, const python::Ref& key);

// Adds the "headers" of an event, if it has any. False with an exception pending.
bool add_headers(const Names& names, PyObject* event, ResponseStart& start);

// The "message" of a failure, as UTF-8; empty when it has none, or one that is no str.
std::string message_of(python::Attached& py, const Names& names, PyObject* event);

}  // namespace pyhost::asgi

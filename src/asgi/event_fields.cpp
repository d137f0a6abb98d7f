#include "asgi/event_fields.h"

#include <fmt/format.h>

#include <utility>

#include "python/compat.h"
#include "python/error.h"

namespace pyhost::asgi {

using python::Ref;

std::optional<BytesView> BytesView::of(PyObject* object, const char* what) {
  BytesView view;
  if (PyBytes_Check(object)) {
    view.owner_ = Ref::share(object);
    view.bytes_ = {PyBytes_AS_STRING(object), std::size_t(PyBytes_GET_SIZE(object))};
    return view;
  }
  if (!PyObject_CheckBuffer(object)) {
    PyErr_Format(PyExc_TypeError, "%s must be bytes, not %.200s", what, Py_TYPE(object)->tp_name);
    return std::nullopt;
  }
  if (PyObject_GetBuffer(object, &view.buffer_, PyBUF_SIMPLE) != 0) return std::nullopt;
  view.bytes_ = {static_cast<const char*>(view.buffer_.buf), std::size_t(view.buffer_.len)};
  return view;
}

BytesView::BytesView(BytesView&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})),
      owner_(std::move(other.owner_)),
      buffer_(std::exchange(other.buffer_, {})) {}

BytesView::~BytesView() {
  if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
}

bool set(PyObject* dict, const Ref& key, const Ref& value) {
  return value && PyDict_SetItem(dict, key.get(), value.get()) == 0;
}

Ref latin1_of(std::string_view text) {
  return Ref::steal(PyUnicode_DecodeLatin1(text.data(), Py_ssize_t(text.size()), nullptr));
}

void raise(const Refusal& refusal) {
  PyObject* type = PyExc_RuntimeError;
  if (refusal.kind == Refusal::Kind::type_error) type = PyExc_TypeError;
  if (refusal.kind == Refusal::Kind::value_error) type = PyExc_ValueError;
  PyErr_SetString(type, refusal.sentence.c_str());
}

namespace {

// Whether it is none; raises it otherwise.
bool passes(const Verdict& verdict) {
  if (!verdict) return true;
  raise(*verdict);
  return false;
}

// Calls `take` with name and value; false with an exception pending.
template <class Take>
bool with_header(PyObject* item, Take take) {
  const Ref pair =
      Ref::steal(PySequence_Fast(item, "a response header must be a pair of bytes (name, value)"));
  if (!pair) return false;
  if (PySequence_Fast_GET_SIZE(pair.get()) != 2) {
    PyErr_Format(PyExc_ValueError, "a response header must be a pair, not of %zd items",
                 PySequence_Fast_GET_SIZE(pair.get()));
    return false;
  }
  const auto name =
      BytesView::of(PySequence_Fast_GET_ITEM(pair.get(), 0), "a response header's name");
  if (!name) return false;
  const auto value =
      BytesView::of(PySequence_Fast_GET_ITEM(pair.get(), 1), "a response header's value");
  return value && take(name->bytes(), value->bytes());
}

// The same for each of them.
template <class Take>
bool for_each_header(PyObject* headers, Take take) {
  const Ref iterator = Ref::steal(PyObject_GetIter(headers));
  if (!iterator) return false;
  while (const Ref item = Ref::steal(PyIter_Next(iterator.get()))) {
    if (!with_header(item.get(), take)) return false;
  }
  return PyErr_Occurred() == nullptr;
}

// Whether a value of an event, which may leave it out, is true; nothing with an exception pending.
std::optional<bool> flag_of(PyObject* event, const Ref& key) {
  const Ref value = field_of(event, key);
  const int is_true = value ? PyObject_IsTrue(value.get()) : 0;
  if (is_true < 0 || (!value && PyErr_Occurred() != nullptr)) return std::nullopt;
  return is_true != 0;
}

bool set_status(ResponseStart& start, PyObject* status) {
  if (!PyLong_Check(status)) {
    PyErr_Format(PyExc_TypeError, "the status of a reply must be int, not %.200s",
                 Py_TYPE(status)->tp_name);
    return false;
  }
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(status, &overflow);
  return passes(start.set_status(overflow == 0 ? number : 0));
}

}  // namespace

Ref field_of(PyObject* event, const Ref& key) {
  return python::get_item(event, key.get());
}

bool add_headers(const Names& names, PyObject* event, ResponseStart& start) {
  const Ref headers = field_of(event, names.headers);
  if (!headers) return PyErr_Occurred() == nullptr;
  return for_each_header(headers.get(), [&start](std::string_view name, std::string_view value) {
    return passes(start.add_header(name, value));
  });
}

Ref type_of(const Names& names, PyObject* event) {
  if (!PyDict_Check(event)) {
    PyErr_Format(PyExc_TypeError, "an event must be a dict, not %.200s", Py_TYPE(event)->tp_name);
    return {};
  }
  Ref type = field_of(event, names.type);
  if (type && PyUnicode_Check(type.get())) return type;
  if (PyErr_Occurred() == nullptr) {
    PyErr_SetString(PyExc_ValueError,
                    type ? "the 'type' of an event must be a str" : "an event must have a 'type'");
  }
  return {};
}

bool is_name(PyObject* text, const Ref& name) {
  return text == name.get() || PyUnicode_Compare(text, name.get()) == 0;
}

std::optional<ResponseStart> response_start_of(const Names& names, PyObject* event) {
  ResponseStart start;
  const Ref status = field_of(event, names.status);
  if (!status) {
    if (PyErr_Occurred() == nullptr) {
      PyErr_SetString(PyExc_ValueError, "http.response.start must have a 'status'");
    }
    return std::nullopt;
  }
  if (!set_status(start, status.get())) return std::nullopt;
  if (!add_headers(names, event, start)) return std::nullopt;
  const auto trailers = flag_of(event, names.trailers);
  if (!trailers) return std::nullopt;
  if (*trailers) start.announce_trailers();
  return start;
}

std::optional<ResponseBody> response_body_of(const Names& names, PyObject* event) {
  const auto is_more = flag_of(event, names.more_body);
  if (!is_more) return std::nullopt;
  const Ref body = field_of(event, names.body);
  if (!body) {
    if (PyErr_Occurred() != nullptr) return std::nullopt;
    return ResponseBody{BytesView(), *is_more};
  }
  auto view = BytesView::of(body.get(), "the body of http.response.body");
  if (!view) return std::nullopt;
  return ResponseBody{*std::move(view), *is_more};
}

std::optional<ResponseTrailers> response_trailers_of(const Names& names, PyObject* event) {
  const auto is_more = flag_of(event, names.more_trailers);
  if (!is_more) return std::nullopt;
  ResponseTrailers trailers{.more = *is_more};
  const Ref headers = field_of(event, names.headers);
  const bool complete = headers
                            ? for_each_header(headers.get(),
                                              [&](std::string_view name, std::string_view value) {
                                                trailers.headers.emplace_back(name, value);
                                                return true;
                                              })
                            : PyErr_Occurred() == nullptr;
  return complete ? std::optional(std::move(trailers)) : std::nullopt;
}

std::optional<std::vector<std::string>> links_of(const Names& names, PyObject* event) {
  const Ref links = field_of(event, names.links);
  if (!links) {
    if (PyErr_Occurred() == nullptr) {
      PyErr_SetString(PyExc_ValueError, "http.response.early_hint must have 'links'");
    }
    return std::nullopt;
  }
  const Ref iterator = Ref::steal(PyObject_GetIter(links.get()));
  if (!iterator) return std::nullopt;
  std::vector<std::string> values;
  while (const Ref item = Ref::steal(PyIter_Next(iterator.get()))) {
    const auto value = BytesView::of(item.get(), "a link");
    if (!value) return std::nullopt;
    values.emplace_back(value->bytes());
  }
  if (PyErr_Occurred() != nullptr) return std::nullopt;
  return values;
}

std::string message_of(python::Attached& py, const Names& names, PyObject* event) {
  const Ref message = field_of(event, names.message);
  if (message && PyUnicode_Check(message.get())) return python::to_utf8(py, message.get());
  python::discard_error(py);
  return "";
}

}  // namespace pyhost::asgi

#include "hooks/answers.h"

#include <fmt/format.h>

#include "python/error.h"
#include "python/ref.h"

namespace pyhost::hooks {
namespace {

using base::Message;
using gateway::Annotation;
using gateway::Answer;
using gateway::QuestionKind;
using python::Attached;
using python::PythonError;
using python::Ref;
using Result = tl::expected<Answer, NoAnswer>;

Message message_for(QuestionKind question) noexcept {
  switch (question) {
    case QuestionKind::access:
      return Message::access_answer_unknown;
    case QuestionKind::password:
      return Message::password_answer_unknown;
    case QuestionKind::realm_hash:
      return Message::realm_hash_unknown;
    case QuestionKind::groups:
      return Message::groups_answer_unknown;
    case QuestionKind::authn:
    case QuestionKind::dispatch:
      break;
  }
  return Message::hook_answer_unknown;
}

// Not the value: it may be a password.
tl::unexpected<NoAnswer> of_type(PyObject* value, Message message, std::string_view wanted) {
  return tl::unexpected(
      NoAnswer{message, fmt::format("a {}, not {}", Py_TYPE(value)->tp_name, wanted)});
}

tl::unexpected<NoAnswer> of_exception(Attached& py, Message message) {
  return tl::unexpected(
      NoAnswer{message, "what is no answer: " + PythonError::take(py).summary(py)});
}

std::string bytes_of(PyObject* bytes) {
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

// The UTF-8 of a str, or bytes as they are; nothing with an exception pending, or without one when
// it is neither.
std::optional<std::string> text_of(PyObject* value) {
  if (PyBytes_Check(value)) return bytes_of(value);
  if (!PyUnicode_Check(value)) return std::nullopt;
  Py_ssize_t bytes = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
  if (text == nullptr) return std::nullopt;
  return std::string(text, static_cast<std::size_t>(bytes));
}

Result yes_no_none(PyObject* returned, Message message, std::string_view wanted) {
  if (returned == Py_True) return Answer{.kind = Answer::Kind::yes};
  if (returned == Py_False) return Answer{.kind = Answer::Kind::no};
  if (returned == Py_None) return Answer{.kind = Answer::Kind::none};
  return of_type(returned, message, wanted);
}

Result password_answer(Attached& py, PyObject* returned) {
  if (!PyUnicode_Check(returned)) {
    return yes_no_none(returned, Message::password_answer_unknown, "True, False, None or a str");
  }
  auto name = text_of(returned);
  if (!name) return of_exception(py, Message::password_answer_unknown);
  if (name->empty()) return tl::unexpected(NoAnswer{Message::user_name_empty, "an empty name"});
  return Answer{.kind = Answer::Kind::text, .text = *std::move(name)};
}

Result realm_hash_answer(Attached& py, PyObject* returned) {
  if (returned == Py_None) return Answer{.kind = Answer::Kind::none};
  auto hash = text_of(returned);
  if (!hash && PyErr_Occurred() != nullptr) return of_exception(py, Message::realm_hash_unknown);
  if (!hash) return of_type(returned, Message::realm_hash_unknown, "None, a str or bytes");
  if (hash->empty()) return tl::unexpected(NoAnswer{Message::realm_hash_empty, "an empty hash"});
  return Answer{.kind = Answer::Kind::text, .text = *std::move(hash)};
}

// A str is iterable, and each of its characters would be a group.
Result groups_answer(Attached& py, PyObject* returned) {
  constexpr Message kMessage = Message::groups_answer_unknown;
  constexpr std::string_view kWanted = "an iterable of str or bytes";
  if (PyUnicode_Check(returned) || PyBytes_Check(returned)) {
    return of_type(returned, kMessage, kWanted);
  }
  const Ref iterator = Ref::steal(PyObject_GetIter(returned));
  if (!iterator) return of_exception(py, kMessage);
  Answer answer{.kind = Answer::Kind::items};
  while (const Ref item = Ref::steal(PyIter_Next(iterator.get()))) {
    auto name = text_of(item.get());
    if (!name && PyErr_Occurred() == nullptr) return of_type(item.get(), kMessage, "str or bytes");
    if (!name) return of_exception(py, kMessage);
    answer.items.emplace_back(*std::move(name));
    if (answer.items.size() > gateway::kAnswerItemsMax) break;
  }
  if (PyErr_Occurred() != nullptr) return of_exception(py, kMessage);
  return answer;
}

// The support module has made plain tuples of it, with bytes in them.
Answer user_of(PyObject* user) {
  Answer answer{.kind = Answer::Kind::user, .text = bytes_of(PyTuple_GET_ITEM(user, 0))};
  const auto add = [&](Annotation::Kind kind, PyObject* pairs) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); ++i) {
      PyObject* pair = PyList_GET_ITEM(pairs, i);
      answer.annotations.push_back(
          {kind, bytes_of(PyTuple_GET_ITEM(pair, 0)), bytes_of(PyTuple_GET_ITEM(pair, 1))});
    }
  };
  add(Annotation::Kind::variable, PyTuple_GET_ITEM(user, 1));
  add(Annotation::Kind::note, PyTuple_GET_ITEM(user, 2));
  return answer;
}

Answer reply_of(PyObject* reply) {
  Answer answer{.kind = Answer::Kind::reply};
  answer.status = static_cast<int>(PyLong_AsLong(PyTuple_GET_ITEM(reply, 0)));
  PyObject* headers = PyTuple_GET_ITEM(reply, 1);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    PyObject* header = PyList_GET_ITEM(headers, i);
    answer.headers.emplace_back(bytes_of(PyTuple_GET_ITEM(header, 0)),
                                bytes_of(PyTuple_GET_ITEM(header, 1)));
  }
  answer.body = bytes_of(PyTuple_GET_ITEM(reply, 2));
  return answer;
}

Result authn_answer(Attached& py, PyObject* returned) {
  if (returned == Py_None) return Answer{.kind = Answer::Kind::none};
  const Ref plain =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "authn_answer", "O", returned));
  if (!plain) return of_exception(py, Message::hook_answer_unknown);
  const bool is_user = PyBytes_Check(PyTuple_GET_ITEM(plain.get(), 0));
  return is_user ? user_of(plain.get()) : reply_of(plain.get());
}

Result convert(Attached& py, QuestionKind question, PyObject* returned) {
  switch (question) {
    case QuestionKind::access:
      return yes_no_none(returned, message_for(question), "True, False or None");
    case QuestionKind::password:
      return password_answer(py, returned);
    case QuestionKind::realm_hash:
      return realm_hash_answer(py, returned);
    case QuestionKind::groups:
      return groups_answer(py, returned);
    case QuestionKind::authn:
    case QuestionKind::dispatch:
      break;
  }
  return authn_answer(py, returned);
}

}  // namespace

Result answer_of(Attached& py, QuestionKind question, PyObject* returned) {
  auto answer = convert(py, question, returned);
  if (!answer) return answer;
  if (const auto checked = gateway::check_answer(question, *answer); !checked) {
    return tl::unexpected(NoAnswer{message_for(question), checked.error().sentence});
  }
  return answer;
}

tl::expected<std::optional<std::string>, NoAnswer> name_of(Attached& py, PyObject* returned) {
  constexpr Message kMessage = Message::hook_answer_unknown;
  if (returned == Py_None) return std::nullopt;
  if (PyBytes_Check(returned)) return bytes_of(returned);
  if (!PyUnicode_Check(returned)) return of_type(returned, kMessage, "None, a str or bytes");
  const Ref latin1 = Ref::steal(PyUnicode_AsLatin1String(returned));
  if (!latin1) return of_exception(py, kMessage);
  return bytes_of(latin1.get());
}

}  // namespace pyhost::hooks

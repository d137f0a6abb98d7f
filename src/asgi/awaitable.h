// What receive() and send() give: objects that can be awaited, or made a task of.
#pragma once

#include <utility>

#include "pyhost/base/result.h"
#include "python/compat.h"
#include "python/native_type.h"

namespace pyhost::asgi {

// What has become of a call that was gone on with.
enum class Progress {
  answered,  // it has its value
  waits,     // until the future is done that it has given; then it is gone on with
  yields,    // whatever else the loop has to do goes first
  failed,    // with an exception pending
};

// A coroutine in all that a loop asks of one, without a frame: `await` of a call that is answered
// at once costs no future and no task. T is such a call, used by the loop's thread, attached:
//   Progress go_on(Ref& value)   does what goes without waiting
//   void give_up() noexcept      it is not gone on with any more: cancelled, closed or dropped
//   static constexpr kName, kDoc
template <class T>
struct Awaitable {
  T call;
  python::Ref waits_for = {};  // the iterator of a future
  bool over = false;

  ~Awaitable() {
    if (!over) call.give_up();
  }
  Awaitable(T own_call) : call(std::move(own_call)) {}
  Awaitable(const Awaitable&) = delete;
  Awaitable& operator=(const Awaitable&) = delete;

  void end() noexcept {
    over = true;
    waits_for.reset();
  }
};

namespace awaiting {

using python::Ref;

// The iterator that `await future` goes through; null with an exception pending.
inline Ref iterator_of(PyObject* future) {
  const PyAsyncMethods* methods = Py_TYPE(future)->tp_as_async;
  if (methods != nullptr && methods->am_await != nullptr) {
    return Ref::steal(methods->am_await(future));
  }
  PyErr_Format(PyExc_TypeError, "the loop's future is a %.200s, which cannot be awaited",
               Py_TYPE(future)->tp_name);
  return {};
}

template <class T>
PySendResult go_on(Awaitable<T>& awaitable, PyObject* sent, PyObject** result) {
  if (awaitable.over) {
    PyErr_SetString(PyExc_RuntimeError, "cannot await what was awaited before");
    return PYGEN_ERROR;
  }
  while (true) {
    if (awaitable.waits_for) {
      const PySendResult step = PyIter_Send(awaitable.waits_for.get(), sent, result);
      if (step == PYGEN_NEXT) return step;
      awaitable.waits_for.reset();
      const Ref dropped = Ref::steal(std::exchange(*result, nullptr));
      if (step == PYGEN_ERROR) return step;
    }
    Ref value;
    const Progress progress = awaitable.call.go_on(value);
    if (progress == Progress::yields) {
      *result = Py_NewRef(Py_None);
      return PYGEN_NEXT;
    }
    if (progress == Progress::waits) {
      awaitable.waits_for = iterator_of(value.get());
      if (awaitable.waits_for) continue;
      return PYGEN_ERROR;
    }
    if (progress == Progress::failed) return PYGEN_ERROR;
    awaitable.end();
    *result = value.release();
    return PYGEN_RETURN;
  }
}

template <class T>
PySendResult send(PyObject* self, PyObject* sent, PyObject** result) {
  *result = nullptr;
  auto& awaitable = python::value_of<Awaitable<T>>(self);
  const PySendResult step =
      python::py_entry<PySendResult>(PYGEN_ERROR, [&] { return go_on(awaitable, sent, result); });
  if (step == PYGEN_ERROR && !awaitable.over) {
    awaitable.call.give_up();
    awaitable.end();
  }
  return step;
}

// As a generator's: the value is that of a StopIteration.
template <class T>
PyObject* send_method(PyObject* self, PyObject* sent) {
  PyObject* result = nullptr;
  switch (send<T>(self, sent, &result)) {
    case PYGEN_NEXT:
      return result;
    case PYGEN_RETURN: {
      const Ref value = Ref::steal(result);
      if (value.get() == Py_None) {
        PyErr_SetNone(PyExc_StopIteration);
      } else {
        PyErr_SetObject(PyExc_StopIteration, value.get());
      }
      return nullptr;
    }
    case PYGEN_ERROR:
      break;
  }
  return nullptr;
}

template <class T>
PyObject* next(PyObject* self) {
  return send_method<T>(self, Py_None);
}

// Makes an exception of what throw() was given the pending one.
inline void raise(PyObject* type, PyObject* value) {
  if (PyExceptionInstance_Check(type)) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(type)), type);
  } else if (PyExceptionClass_Check(type)) {
    PyErr_SetObject(type, value);
  } else {
    PyErr_Format(PyExc_TypeError, "throw() takes an exception, not %.200s", Py_TYPE(type)->tp_name);
  }
}

// A cancelled task throws into what it waits for. Nothing is lost by it: what the call would have
// given is still there for the next one.
template <class T>
PyObject* throw_method(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  auto& awaitable = python::value_of<Awaitable<T>>(self);
  if (count < 1 || count > 3) {
    PyErr_Format(PyExc_TypeError, "throw() takes 1 to 3 arguments, %zd were given", count);
    return nullptr;
  }
  if (!awaitable.over) {
    awaitable.call.give_up();
    awaitable.end();
  }
  raise(arguments[0], count > 1 && arguments[1] != Py_None ? arguments[1] : nullptr);
  return nullptr;
}

template <class T>
PyObject* close_method(PyObject* self, PyObject*) {
  auto& awaitable = python::value_of<Awaitable<T>>(self);
  if (!awaitable.over) {
    awaitable.call.give_up();
    awaitable.end();
  }
  Py_RETURN_NONE;
}

inline PyObject* itself(PyObject* self) {
  return Py_NewRef(self);
}

}  // namespace awaiting

// The heap type of such objects.
template <class T>
base::Result<python::Ref> make_awaitable_type(python::Attached& py) {
  static PyMethodDef methods[] = {
      {"send", awaiting::send_method<T>, METH_O, "As a coroutine's."},
      {"throw", python::method(awaiting::throw_method<T>), METH_FASTCALL, "As a coroutine's."},
      {"close", awaiting::close_method<T>, METH_NOARGS, "As a coroutine's."},
      {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, python::slot(python::dealloc_native<Awaitable<T>>)},
                                {Py_tp_doc, const_cast<char*>(T::kDoc)},
                                {Py_tp_iter, python::slot(awaiting::itself)},
                                {Py_tp_iternext, python::slot(awaiting::next<T>)},
                                {Py_am_await, python::slot(awaiting::itself)},
                                {Py_am_send, python::slot(awaiting::send<T>)},
                                {Py_tp_methods, methods},
                                {0, nullptr}};
  static PyType_Spec spec = {T::kName, sizeof(python::Native<Awaitable<T>>), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  return python::make_type(py, spec);
}

template <class T>
python::Ref make_awaitable(PyObject* type, T call) {
  return python::make_native<Awaitable<T>>(type, std::move(call));
}

}  // namespace pyhost::asgi

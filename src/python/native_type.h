// Heap types around C++ values, made once per interpreter.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "pyhost/base/result.h"
#include "python/error.h"
#include "python/ref.h"

namespace pyhost::python {

// A heap type of the attached interpreter.
inline base::Result<Ref> make_type(Attached& py, PyType_Spec& spec) {
  Ref type = Ref::steal(PyType_FromSpec(&spec));
  if (!type) return base::fail(PythonError::take(py).summary(py));
  return type;
}

// The object layout of a type whose instances hold a T.
template <class T>
struct Native {
  PyObject_HEAD T value;
};

template <class T>
T& value_of(PyObject* self) noexcept {
  return reinterpret_cast<Native<T>*>(self)->value;
}

// A new instance; null with MemoryError pending.
template <class T, class... Args>
Ref make_native(PyObject* type, Args&&... args) {
  auto* python_type = reinterpret_cast<PyTypeObject*>(type);
  PyObject* self = python_type->tp_alloc(python_type, 0);
  if (self != nullptr) new (&value_of<T>(self)) T(std::forward<Args>(args)...);
  return Ref::steal(self);
}

// tp_dealloc of such a type.
template <class T>
void dealloc_native(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (PyType_IS_GC(type)) PyObject_GC_UnTrack(self);
  value_of<T>(self).~T();
  type->tp_free(self);
  Py_DECREF(type);
}

// The barrier between Python and our C++: `body` returns PyObject*, int or another type that has
// `failure` as its error value. What the standard library throws becomes a Python exception.
template <class R, class F>
R py_entry(R failure, F&& body) noexcept {
  try {
    return std::forward<F>(body)();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_Format(PyExc_RuntimeError, "mod_pyhost: %s", error.what());
  }
  return failure;
}

template <class F>
PyObject* py_entry(F&& body) noexcept {
  return py_entry<PyObject*>(nullptr, std::forward<F>(body));
}

// Slots and methods take functions as void* or PyCFunction; one cast each.
template <class F>
void* slot(F* function) noexcept {
  return reinterpret_cast<void*>(function);
}

template <class F>
PyCFunction method(F* function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace pyhost::python

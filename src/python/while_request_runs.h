// How methods of Python objects reach the request that the object was made for.
#pragma once

#include "python/attached.h"
#include "python/native_type.h"
#include "python/request_link.h"

namespace pyhost::python {

// Runs `action(py, object)`, for a method that Python calls on `self`, which is an Object with a
// `link` and an `interpreter`, as long as its request does. Behind that it raises RuntimeError with
// the sentence `afterwards`. The request waits for it to return.
template <class Object, class F>
PyObject* while_request_runs(PyObject* self, const char* afterwards, F action) {
  return py_entry([&]() -> PyObject* {
    Object& object = value_of<Object>(self);
    const SharedRequestLink link = object.link;
    const RequestLink::Use use(*link);
    if (!use) {
      PyErr_SetString(PyExc_RuntimeError, afterwards);
      return nullptr;
    }
    CalledByPython py(*object.interpreter);
    return action(py, object);
  });
}

}  // namespace pyhost::python

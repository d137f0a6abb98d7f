// What differs between CPython 3.10 and 3.15, in one place.
#pragma once

#include <vector>

#include "pyhost/base/result.h"
#include "python/interpreter.h"
#include "python/ref.h"

#if PY_VERSION_HEX < 0x030D0000
// What faulthandler prints at its time-outs; declared in CPython's internal headers only.
extern "C" const char* _Py_DumpTracebackThreads(int fd, PyInterpreterState* interpreter,
                                                PyThreadState* current);
#endif

namespace pyhost::python {

// Whether interpreters can have locks of their own.
inline constexpr bool kHasOwnLocks = PY_VERSION_HEX >= 0x030C0000;

// Makes a sub-interpreter with everything allowed in it that its lock permits, and makes its first
// state the current one. PRECONDITION: the calling thread is attached to the main interpreter; on
// failure it still is. Before 3.12 the lock is always shared.
inline base::Result<PyThreadState*> make_sub_interpreter(InterpreterLock lock) {
  PyThreadState* state = nullptr;
#if PY_VERSION_HEX >= 0x030C0000
  if (lock == InterpreterLock::own) {
    PyInterpreterConfig config{};
    config.use_main_obmalloc = 0;  // which its lock would have to protect
    config.allow_fork = 1;         // Runtime refuses it with a reason
    config.allow_exec = 1;
    config.allow_threads = 1;
    config.allow_daemon_threads = 1;
    config.check_multi_interp_extensions = 1;
    config.gil = PyInterpreterConfig_OWN_GIL;
    const PyStatus status = Py_NewInterpreterFromConfig(&state, &config);
    if (!PyStatus_Exception(status)) return state;
    return base::fail(status.err_msg != nullptr ? status.err_msg
                                                : "CPython could not create the interpreter");
  }
#endif
  static_cast<void>(lock);
  state = Py_NewInterpreter();
  if (state == nullptr) return base::fail("CPython could not create the interpreter");
  return state;
}

// Takes the pending exception, normalised and with its traceback attached (up to 3.11 the value
// does not carry it by itself). PRECONDITION: one is pending.
inline Ref take_raised_exception() noexcept {
#if PY_VERSION_HEX >= 0x030C0000
  return Ref::steal(PyErr_GetRaisedException());
#else
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return Ref::steal(value);
#endif
}

// Makes `exception` the pending one again.
inline void raise_exception(Ref exception) noexcept {
#if PY_VERSION_HEX >= 0x030C0000
  PyErr_SetRaisedException(exception.release());
#else
  PyObject* value = exception.release();
  PyErr_Restore(Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(value))), value,
                PyException_GetTraceback(value));
#endif
}

// An attribute that may be missing: 1 with `out` set, 0 without, -1 with an exception pending. Does
// not build an AttributeError only to drop it.
inline int get_optional_attribute(PyObject* object, PyObject* name, Ref& out) noexcept {
  PyObject* value = nullptr;
#if PY_VERSION_HEX >= 0x030D0000
  const int found = PyObject_GetOptionalAttr(object, name, &value);
#else
  const int found = _PyObject_LookupAttr(object, name, &value);
#endif
  out = Ref::steal(value);
  return found;
}

// A strong reference to a dictionary's value; null without an exception when the key is missing.
inline Ref get_item(PyObject* dict, PyObject* key) noexcept {
#if PY_VERSION_HEX >= 0x030D0000
  PyObject* value = nullptr;
  PyDict_GetItemRef(dict, key, &value);
  return Ref::steal(value);
#else
  return Ref::share(PyDict_GetItemWithError(dict, key));
#endif
}

// Python's numbers of the threads that have a state in the caller's interpreter, the caller's own
// too. Attached.
inline std::vector<unsigned long> thread_numbers() {
  std::vector<unsigned long> numbers;
  PyThreadState* state = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
  for (; state != nullptr; state = PyThreadState_Next(state)) numbers.push_back(state->thread_id);
  return numbers;
}

// Whether CPython lets others call what its faulthandler does.
inline constexpr bool kDumpsStacksWithoutLock =
    PY_VERSION_HEX < 0x030D0000 || PY_VERSION_HEX >= 0x030F0000;

// Writes the Python stacks of an interpreter's threads to a descriptor, without the lock. False
// where that cannot be done.
inline bool dump_stacks_without_lock(int fd, PyInterpreterState* interpreter) noexcept {
#if PY_VERSION_HEX < 0x030D0000
  return _Py_DumpTracebackThreads(fd, interpreter, nullptr) == nullptr;
#elif PY_VERSION_HEX >= 0x030F0000
  constexpr Py_ssize_t kThreadsMax = 1000;
  return PyUnstable_DumpTracebackThreads(fd, interpreter, nullptr, kThreadsMax) == nullptr;
#else
  static_cast<void>(fd);
  static_cast<void>(interpreter);
  return false;
#endif
}

}  // namespace pyhost::python

/* In C, because CPython's internal headers are no C++. */
#define Py_BUILD_CORE 1
#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_runtime.h>
#endif

void pyhost_set_gilstate(PyThreadState* state) {
#if PY_VERSION_HEX < 0x030C0000
  PyThread_tss_set(&_PyRuntime.gilstate.autoTSSkey, state);
#else
  (void)state;
#endif
}

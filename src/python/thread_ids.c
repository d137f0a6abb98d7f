/* In C, because CPython's internal headers are no C++. */
#include "python/thread_ids.h"

#define Py_BUILD_CORE 1
#include <Python.h>
#include <internal/pycore_interp.h>
#include <stdint.h>
#include <string.h>

/* An interpreter has room for 2^40 states: a library that calls back makes one each time. */
#define ROOM_BITS 40

static uint64_t* counter_at(PyInterpreterState* interpreter, size_t offset) {
  return (uint64_t*)((char*)interpreter + offset);
}

static uint64_t id_of_a_new_state(PyInterpreterState* interpreter) {
  PyThreadState* state = PyThreadState_New(interpreter);
  const uint64_t id = state->id;
  PyThreadState_Clear(state);
  PyThreadState_Delete(state);
  return id;
}

/* Seen rather than known: a later patch release may have another layout than the headers. 0 when
   there is no counter. */
static size_t find_counter(PyInterpreterState* interpreter) {
  const int looks = 3;
  uint64_t last = id_of_a_new_state(interpreter);
  for (size_t offset = sizeof(void*); offset < sizeof *interpreter; offset += sizeof last) {
    int agreed = 0;
    while (agreed < looks && *counter_at(interpreter, offset) == last) {
      last = id_of_a_new_state(interpreter);
      ++agreed;
    }
    if (agreed == looks) return offset;
  }
  return 0;
}

/* An audit hook. An interpreter's first import comes before anything of an application can run
   there, when there is only the state that makes it. */
static int number_states(const char* event, PyObject* arguments, void* offset) {
  (void)arguments;
  if (strcmp(event, "import") != 0) return 0;
  PyThreadState* state = PyThreadState_Get();
  PyInterpreterState* interpreter = PyThreadState_GetInterpreter(state);
  const uint64_t begin = (uint64_t)PyInterpreterState_GetID(interpreter) << ROOM_BITS;
  if (state->id >= begin) return 0;
  state->id += begin;
  *counter_at(interpreter, (size_t)offset) += begin;
  return 0;
}

bool pyhost_keep_thread_ids_apart(void) {
  const size_t offset = find_counter(PyThreadState_GetInterpreter(PyThreadState_Get()));
  return offset != 0 && PySys_AddAuditHook(number_states, (void*)offset) == 0;
}

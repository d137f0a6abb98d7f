// Keeps the ids of thread states apart.
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// From now on each interpreter but the main one numbers its thread states from a number of its own,
// so that no two in the process have the same id, whoever makes them: this program, `threading`, or
// an extension. CPython numbers them in each interpreter from 1, and yet takes the id for one of
// the process: a ContextVar of C code exists once for all interpreters (that of _decimal, up to
// 3.12), and hands the value that it had last to any thread with the same id and version of
// contextvars, although it belongs to another interpreter, or has been freed.
//
// Called once, attached to the main interpreter, before there is another. False when CPython's
// counter is not found.
bool pyhost_keep_thread_ids_apart(void);

#ifdef __cplusplus
}
#endif

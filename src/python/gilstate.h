// Which state of its thread CPython's GIL-state functions find.
#pragma once

#include "python/python.h"

extern "C" {

// Makes `state` the one that they take on the calling thread. Extensions call them when a library
// calls back. Up to CPython 3.11 they find the thread's first state for its whole life, whichever
// interpreter it belongs to: the callback would run in the wrong interpreter, or wait for ever for
// the lock that the thread has. From 3.12 on CPython does this itself.
void pyhost_set_gilstate(PyThreadState* state);
}

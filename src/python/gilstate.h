// Which state of its thread PyGILState_Ensure() finds.
#pragma once

#include "python/python.h"

extern "C" {

// Makes `state` the one that PyGILState_Ensure() takes on the calling thread, which extensions call
// when a library calls them back. Up to CPython 3.11 that is the thread's first state for its
// whole life, whichever interpreter it belongs to: the callback would run in the wrong interpreter,
// or wait for ever for the lock that the thread has. From 3.12 on CPython does this itself.
void pyhost_set_gilstate(PyThreadState* state);
}

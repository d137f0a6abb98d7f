// The one door to Python.h.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

static_assert(PY_VERSION_HEX >= 0x030A0000, "mod_pyhost needs CPython 3.10 or newer");

// Up to 3.12 a thread that waits for the lock asks only its own interpreter to let go, so a busy
// thread of another interpreter never hears it (gh-112175).
#define PH_LOCK_STARVES_OTHER_INTERPRETERS (PY_VERSION_HEX < 0x030D0000)

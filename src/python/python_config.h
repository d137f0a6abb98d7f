// From our settings to CPython's configuration.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::python {

// Starts Python in this process: isolated configuration, UTF-8 mode, no signal handlers, in the
// environment that the settings name and in no other. On success the calling thread is attached to
// the main interpreter. The error is a sentence of ours or Python's own.
base::Result<> initialize_python(const gateway::EngineSettings& settings);

}  // namespace pyhost::python

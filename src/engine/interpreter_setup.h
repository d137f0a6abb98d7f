// Makes a new interpreter ready for applications.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/log_stream.h"

namespace pyhost::engine {

// Installs the support module, the Python path, the switch interval, the standard streams and the
// restrictions that the settings ask for. An entry of the Python path that fails is logged and left
// out.
base::Result<> prepare_interpreter(python::Attached& py, python::Interpreter& interpreter,
                                   const gateway::EngineSettings& settings,
                                   const python::LogStreams& streams);

}  // namespace pyhost::engine

// What the threads of the worker run in Python.
#pragma once

#include <string>

#include "pyhost/gateway/engine_watch.h"

namespace pyhost::worker {

// Waits for a moment, at most, for interpreters whose lock somebody keeps; of those it has what
// CPython tells without, and says so.
std::string collect_stacks(gateway::EngineWatch& watch, gateway::StackOwners whose);

}  // namespace pyhost::worker

// What this engine can do.
#pragma once

#include "pyhost/gateway/plugin.h"

namespace pyhost::engine {

// Interpreters share CPython's one lock, or in an application group the same interpreter.
inline constexpr gateway::Capabilities kCapabilities{.wsgi = true, .asgi = true};

}  // namespace pyhost::engine

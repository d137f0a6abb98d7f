// How applications with event loops are run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pyhost::gateway {

// Whether an application is told of the start and the end of its loop (ASGI Lifespan).
enum class LifespanUse {
  detected,  // one that raises before it has answered does without
  on,        // and has failed then
  off,
};

enum class LoopKind {
  detected,  // uvloop in the main interpreter where it can be imported, otherwise asyncio's
  asyncio,
  uvloop,
};

struct EventLoops {
  LifespanUse lifespan = LifespanUse::detected;
  LoopKind kind = LoopKind::detected;
  // How long an application may take to start; nothing: for ever.
  std::optional<std::chrono::milliseconds> startup_timeout;
  // How long what serves a client that has left goes on before it is cancelled; nothing: for ever.
  std::optional<std::chrono::milliseconds> disconnect_grace;

  bool operator==(const EventLoops&) const = default;
};

}  // namespace pyhost::gateway

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

// What scopes say beyond what all have, and which version of ASGI's HTTP part they speak of.
enum class HttpSpec {
  v2_3,  // send() to a client that has left does nothing
  v2_4,  // it raises an OSError
  v2_5,
};

// "2.3".
constexpr const char* name_of(HttpSpec spec) noexcept {
  switch (spec) {
    case HttpSpec::v2_3:
      return "2.3";
    case HttpSpec::v2_4:
      return "2.4";
    case HttpSpec::v2_5:
      break;
  }
  return "2.5";
}

struct Scopes {
  HttpSpec http_spec = HttpSpec::v2_3;
  bool tls = false;      // what there is to know of a TLS connection (ASGI TLS)
  bool environ = false;  // what a WSGI application would have in its environ

  bool operator==(const Scopes&) const = default;
};

// What WebSockets are held to. Times of 0 are off.
struct WebSockets {
  std::chrono::milliseconds ping_interval{20'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::uint64_t message_bytes_max = 16 * 1024 * 1024;
  bool compression = false;
  // How long an application may take to answer a handshake.
  std::chrono::milliseconds connect_timeout{20'000};
  // Within that, all are closed when their worker is replaced.
  std::chrono::milliseconds drain{10'000};

  bool operator==(const WebSockets&) const = default;
};

struct EventLoops {
  LifespanUse lifespan = LifespanUse::detected;
  LoopKind kind = LoopKind::detected;
  // How long an application may take to start; nothing: for ever.
  std::optional<std::chrono::milliseconds> startup_timeout;
  // How long what serves a client that has left goes on before it is cancelled; nothing: for ever.
  std::optional<std::chrono::milliseconds> disconnect_grace;
  Scopes scopes = {};
  WebSockets web_sockets = {};

  bool operator==(const EventLoops&) const = default;
};

}  // namespace pyhost::gateway

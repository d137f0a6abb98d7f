// One request as the application will see it, before Python.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pyhost::gateway {

// The keys of environ_keys.def, then `other` for a key that travels by name.
enum class EnvironKey : std::uint16_t {
#define PH_ENVIRON_KEY(identifier, name) identifier,
#include "pyhost/gateway/environ_keys.def"
#undef PH_ENVIRON_KEY
  other
};

inline constexpr std::size_t kEnvironKeyCount = static_cast<std::size_t>(EnvironKey::other);

// "REQUEST_METHOD" for request_method. PRECONDITION: key is not `other`.
std::string_view name_of(EnvironKey key) noexcept;

// The key with that exact name, or `other`. One hash look-up.
EnvironKey find_environ_key(std::string_view name) noexcept;

struct EnvironEntry {
  EnvironKey key = EnvironKey::other;
  std::string_view name;   // only looked at when key is `other`
  std::string_view value;  // any bytes; becomes a Latin-1 decoded str (PEP 3333, native strings)
};

// Whether a request asks for a WebSocket (RFC 6455, 4.2.1), as it has come through httpd.
enum class WebSocketOffer : std::uint8_t {
  none,
  valid,
  other_version,  // Sec-WebSocket-Version is not 13
  malformed,      // no Sec-WebSocket-Key, none of 16 bytes, or HTTP/1.0
};

// Views only: everything lives at least as long as the exchange that hands it out.
struct RequestHead {
  // In order of rising precedence: the last entry of a name is the one the application sees.
  std::span<const EnvironEntry> environ;
  bool https = false;    // wsgi.url_scheme
  bool is_head = false;  // the client sent HEAD, whatever REQUEST_METHOD says
  WebSocketOffer web_socket = WebSocketOffer::none;
  bool ignores_activity = false;  // does not put off the end of a worker for inactivity
  // httpd's request_rec, for an application in httpd's own process that is to have it. Goes nowhere
  // else.
  void* server_request = nullptr;
  // What the client announced; nothing for a chunked body. Without a body: 0.
  std::optional<std::uint64_t> content_length = 0;
  // Microseconds since the epoch.
  std::int64_t start_us = 0;         // when the request arrived
  std::int64_t queue_start_us = 0;   // when a worker was looked for; 0 in httpd itself
  std::int64_t worker_start_us = 0;  // when the worker had it; 0 in httpd itself
};

}  // namespace pyhost::gateway

// What may be in the head of a reply, whoever has made it. The process that runs an application
// holds it to this, and httpd's child holds that process to it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::gateway {

// Statuses below are interim replies, which are httpd's own.
inline constexpr int kStatusMin = 200;
inline constexpr int kStatusMax = 999;

// No reply is longer: httpd counts with signed numbers.
inline constexpr std::uint64_t kBodyBytesMax = std::numeric_limits<std::int64_t>::max();

// Whether replies with this status never have a body (RFC 9110, 6.4.1).
constexpr bool forbids_body(int status) noexcept {
  return status == 204 || status == 304;
}

// Whether a text has a control character, the tab included.
bool has_control_character(std::string_view text) noexcept;

// Whether a header is one at all: a token as name, no control character but the tab in the value.
base::Result<> check_header_text(std::string_view name, std::string_view value);

// Whether a name is that of a header that is about one connection alone (RFC 9110, 7.6.1).
bool is_hop_by_hop(std::string_view name) noexcept;

// Whether it may be sent: not what is hop-by-hop, which PEP 3333 keeps for the server.
// Content-Length is let through.
base::Result<> check_header(std::string_view name, std::string_view value);

// A Content-Length: decimal digits only, and no more bytes than httpd can count.
base::Result<std::uint64_t> parse_content_length(std::string_view value);

// Whether these may be sent as early hints: none that check_header() has something against, or that
// describes the reply's body, and not too many.
base::Result<> check_early_hints(std::span<const Header> headers);

// Whether these may be sent as trailers: none that check_header() has something against, or that
// has to be known before the body (RFC 9110, 6.5.1), and not too many.
base::Result<> check_trailers(std::span<const Header> trailers);

// The beginning of a text for an error message: ASCII only, with everything else escaped.
std::string excerpt_of(std::string_view text);

}  // namespace pyhost::gateway

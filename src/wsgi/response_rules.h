// What an application may put into a response head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::wsgi {

struct Status {
  int code = 0;
  std::string_view reason;  // a view into the text that was parsed; may be empty
};

// "200 OK" or "200": three digits from 200 to 999, then nothing or a blank and a reason without
// control characters (PEP 3333, the start_response() callable).
base::Result<Status> parse_status(std::string_view text);

// Whether a header may be sent: a token as name, no control character but the tab in the value, and
// not hop-by-hop, which PEP 3333 keeps for the server.
base::Result<> check_header(std::string_view name, std::string_view value);

// A Content-Length: decimal digits only.
base::Result<std::uint64_t> parse_content_length(std::string_view value);

// Whether replies with this status never have a body (RFC 9110, 6.4.1).
constexpr bool forbids_body(int status) noexcept {
  return status == 204 || status == 304;
}

}  // namespace pyhost::wsgi

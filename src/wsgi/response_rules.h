// What an application may put into a response head.
#pragma once

#include <cstdint>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::wsgi {

using gateway::check_header;
using gateway::check_header_text;
using gateway::forbids_body;
using gateway::parse_content_length;

struct Status {
  int code = 0;
  std::string_view reason;  // a view into the text that was parsed; may be empty
};

// "200 OK" or "200": three digits from 200 to 999, then nothing or a blank and a reason without
// control characters (PEP 3333, the start_response() callable).
base::Result<Status> parse_status(std::string_view text);

// What a header asks of the client's connection.
enum class ConnectionWish {
  none,   // nothing, or more than an application may ask
  keep,   // "Connection: keep-alive", or a Keep-Alive header
  close,  // "Connection: close"
};
ConnectionWish connection_wish(std::string_view name, std::string_view value) noexcept;

}  // namespace pyhost::wsgi

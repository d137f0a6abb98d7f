// W3C Trace Context, level 1: what a request says of the trace it belongs to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::apache {

inline constexpr std::size_t kTraceIdDigits = 32;
inline constexpr std::size_t kSpanIdDigits = 16;

// Whether a text has nothing but hexadecimal digits, in lower case.
bool is_hex(std::string_view text) noexcept;

// The header `traceparent`. Views into its value; the ids are hexadecimal digits in lower case, and
// not all of them 0.
struct TraceParent {
  std::string_view trace_id;   // kTraceIdDigits
  std::string_view parent_id;  // kSpanIdDigits: of who has sent the request
  std::string_view flags;      // 2
};

// Nothing for a value that is to be treated as if it were not there. A version that is not known is
// read as far as it is like version 00 (section 4.2.2).
std::optional<TraceParent> parse_trace_parent(std::string_view value) noexcept;

// The value of a header of version 00.
std::string format_trace_parent(const TraceParent& parent);

// Whether the value of `tracestate`, its lines joined by commas, may be sent on (section 3.3).
bool is_trace_state(std::string_view value) noexcept;

}  // namespace pyhost::apache

#include "wsgi/response_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "pyhost/base/parse.h"

namespace pyhost::wsgi {
namespace {

using gateway::excerpt_of;

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

}  // namespace

base::Result<Status> parse_status(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  if (text.size() < kDigits || !std::ranges::all_of(text.substr(0, kDigits), is_digit) ||
      (text.size() > kDigits && text[kDigits] != ' ')) {
    return base::fail(fmt::format("status must be three digits, a blank and a reason, not '{}'",
                                  excerpt_of(text)));
  }
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (code < gateway::kStatusMin) {
    return base::fail(fmt::format("status must be from {} to {}, not '{}'", gateway::kStatusMin,
                                  gateway::kStatusMax, excerpt_of(text)));
  }
  const auto reason = text.size() > kDigits ? text.substr(kDigits + 1) : std::string_view();
  if (gateway::has_control_character(reason)) {
    return base::fail(fmt::format("status has a control character: '{}'", excerpt_of(text)));
  }
  return Status{code, reason};
}

base::Result<std::uint64_t> parse_content_length(std::string_view value) {
  const auto length = base::parse_unsigned(value);
  if (length && *length <= gateway::kBodyBytesMax) return *length;
  return base::fail(fmt::format("Content-Length must be a decimal number up to {}, not '{}'",
                                gateway::kBodyBytesMax, excerpt_of(value)));
}

}  // namespace pyhost::wsgi

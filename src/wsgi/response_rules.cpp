#include "wsgi/response_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "base/trimmed.h"

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

ConnectionWish connection_wish(std::string_view name, std::string_view value) noexcept {
  using base::equals_ignoring_case;
  if (equals_ignoring_case(name, "Keep-Alive")) return ConnectionWish::keep;
  if (!equals_ignoring_case(name, "Connection")) return ConnectionWish::none;
  ConnectionWish wish = ConnectionWish::keep;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = base::trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (equals_ignoring_case(option, "close")) {
      wish = ConnectionWish::close;
    } else if (!option.empty() && !equals_ignoring_case(option, "keep-alive")) {
      return ConnectionWish::none;
    }
  }
  return wish;
}

}  // namespace pyhost::wsgi

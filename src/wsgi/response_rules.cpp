#include "wsgi/response_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pyhost/base/parse.h"

namespace pyhost::wsgi {
namespace {

constexpr auto kHopByHop = std::to_array<std::string_view>(
    {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
     "TE", "Trailer", "Trailers", "Transfer-Encoding", "Upgrade"});

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// tchar of RFC 9110, 5.6.2.
constexpr auto kTokenBytes = [] {
  std::array<bool, 256> allowed{};
  for (unsigned char c = '0'; c <= '9'; ++c) allowed[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) allowed[c] = allowed[c + 32] = true;
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) allowed[c] = true;
  return allowed;
}();

// A text for an error message: ASCII only, control characters shown, length bounded.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 80;
  std::string result;
  for (const char c : text.substr(0, kShownMax)) {
    if (is_control(c) || static_cast<unsigned char>(c) > 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  if (text.size() > kShownMax) result += "...";
  return result;
}

}  // namespace

base::Result<Status> parse_status(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  if (text.size() < kDigits || !std::ranges::all_of(text.substr(0, kDigits), is_digit) ||
      (text.size() > kDigits && text[kDigits] != ' ')) {
    return base::fail(
        fmt::format("status must be three digits, a blank and a reason, not '{}'", shown(text)));
  }
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (code < 200) {
    return base::fail(fmt::format("status must be from 200 to 999, not '{}'", shown(text)));
  }
  const auto reason = text.size() > kDigits ? text.substr(kDigits + 1) : std::string_view();
  if (std::ranges::any_of(reason, is_control)) {
    return base::fail(fmt::format("status has a control character: '{}'", shown(text)));
  }
  return Status{code, reason};
}

base::Result<> check_header(std::string_view name, std::string_view value) {
  if (name.empty()) return base::fail("a response header has no name");
  if (!std::ranges::all_of(name, [](unsigned char c) { return kTokenBytes[c]; })) {
    return base::fail(fmt::format(
        "response header name '{}' has a character that names may not have", shown(name)));
  }
  if (std::ranges::any_of(value, [](char c) { return is_control(c) && c != '\t'; })) {
    return base::fail(fmt::format("the value of response header '{}' has a control character: '{}'",
                                  shown(name), shown(value)));
  }
  if (std::ranges::any_of(
          kHopByHop, [&](std::string_view hop) { return base::equals_ignoring_case(hop, name); })) {
    return base::fail(
        fmt::format("'{}' is a hop-by-hop header: the server decides about it, not the application",
                    shown(name)));
  }
  return {};
}

base::Result<std::uint64_t> parse_content_length(std::string_view value) {
  if (const auto length = base::parse_unsigned(value)) return *length;
  return base::fail(fmt::format("Content-Length must be a decimal number, not '{}'", shown(value)));
}

}  // namespace pyhost::wsgi

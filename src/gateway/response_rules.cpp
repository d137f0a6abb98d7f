#include "pyhost/gateway/response_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/parse.h"

namespace pyhost::gateway {
namespace {

constexpr auto kHopByHop = std::to_array<std::string_view>(
    {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
     "TE", "Trailer", "Trailers", "Transfer-Encoding", "Upgrade"});

// What is about the message's framing, its meaning, or whoever handles it on its way.
constexpr auto kBeforeBody = std::to_array<std::string_view>(
    {"Age", "Authorization", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Range",
     "Content-Type", "Date", "Expires", "Host", "Location", "Retry-After", "Set-Cookie", "Vary",
     "WWW-Authenticate"});

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

// Of headers that come beside those of the head.
base::Result<> check_number(std::span<const Header> headers, std::string_view what) {
  constexpr std::size_t kHeadersMax = 64;
  constexpr std::size_t kBytesMax = 16 * 1024;
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) bytes += name.size() + value.size();
  if (headers.size() <= kHeadersMax && bytes <= kBytesMax) return {};
  return base::fail(
      fmt::format("{} have at most {} headers of {} bytes in all", what, kHeadersMax, kBytesMax));
}

}  // namespace

bool has_control_character(std::string_view text) noexcept {
  return std::ranges::any_of(text, is_control);
}

base::Result<> check_header_text(std::string_view name, std::string_view value) {
  if (name.empty()) return base::fail("a response header has no name");
  if (!std::ranges::all_of(name, [](unsigned char c) { return kTokenBytes[c]; })) {
    return base::fail(fmt::format(
        "response header name '{}' has a character that names may not have", excerpt_of(name)));
  }
  if (std::ranges::any_of(value, [](char c) { return is_control(c) && c != '\t'; })) {
    return base::fail(fmt::format("the value of response header '{}' has a control character: '{}'",
                                  excerpt_of(name), excerpt_of(value)));
  }
  return {};
}

bool is_hop_by_hop(std::string_view name) noexcept {
  return std::ranges::any_of(
      kHopByHop, [&](std::string_view hop) { return base::equals_ignoring_case(hop, name); });
}

base::Result<> check_header(std::string_view name, std::string_view value) {
  PH_TRY_VOID(check_header_text(name, value));
  if (is_hop_by_hop(name)) {
    return base::fail(
        fmt::format("'{}' is a hop-by-hop header: the server decides about it, not the application",
                    excerpt_of(name)));
  }
  return {};
}

base::Result<std::uint64_t> parse_content_length(std::string_view value) {
  const auto length = base::parse_unsigned(value);
  if (length && *length <= kBodyBytesMax) return *length;
  return base::fail(fmt::format("Content-Length must be a decimal number up to {}, not '{}'",
                                kBodyBytesMax, excerpt_of(value)));
}

base::Result<> check_early_hints(std::span<const Header> headers) {
  PH_TRY_VOID(check_number(headers, "early hints"));
  for (const auto& [name, value] : headers) {
    PH_TRY_VOID(check_header(name, value));
    if (base::equals_ignoring_case(name, "Content-Length")) {
      return base::fail("early hints have no Content-Length: they have no body");
    }
  }
  return {};
}

base::Result<> check_trailers(std::span<const Header> trailers) {
  PH_TRY_VOID(check_number(trailers, "trailers"));
  for (const Header& trailer : trailers) {
    PH_TRY_VOID(check_header(trailer.name, trailer.value));
    const bool is_late = std::ranges::any_of(kBeforeBody, [&trailer](std::string_view early) {
      return base::equals_ignoring_case(early, trailer.name);
    });
    if (is_late) {
      return base::fail(
          fmt::format("'{}' is no header for trailers: it has to be known before the body",
                      excerpt_of(trailer.name)));
    }
  }
  return {};
}

std::string excerpt_of(std::string_view text) {
  constexpr std::size_t kBytesMax = 80;
  std::string result;
  for (const char c : text.substr(0, kBytesMax)) {
    if (is_control(c) || static_cast<unsigned char>(c) > 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  if (text.size() > kBytesMax) result += "...";
  return result;
}

}  // namespace pyhost::gateway

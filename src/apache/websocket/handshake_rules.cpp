#include "apache/websocket/handshake_rules.h"

#include <algorithm>

#include "base/parse.h"
#include "base/trimmed.h"

namespace pyhost::apache {
namespace {

using gateway::WebSocketOffer;

constexpr std::string_view kVersion = "13";

constexpr bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

}  // namespace

// 16 bytes are 21 characters, four bits of one more, and two of padding.
bool is_key(std::string_view text) noexcept {
  constexpr std::size_t kCharacters = 22;
  constexpr std::string_view kLastOfBits = "AQgw";
  return text.size() == kCharacters + 2 && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, kCharacters), is_base64) &&
         kLastOfBits.find(text[kCharacters - 1]) != kLastOfBits.npos;
}

WebSocketOffer offer_of(const HandshakeFields& fields) noexcept {
  if (!fields.is_get || !base::has_token(fields.upgrade, "websocket") ||
      !base::has_token(fields.connection, "upgrade")) {
    return WebSocketOffer::none;
  }
  if (fields.is_http_1_0) return WebSocketOffer::malformed;
  if (base::trimmed(fields.version) != kVersion) return WebSocketOffer::other_version;
  if (fields.has_body || !is_key(base::trimmed(fields.key))) return WebSocketOffer::malformed;
  return WebSocketOffer::valid;
}

}  // namespace pyhost::apache

#include "websocket/utf8_check.h"

#include <cstring>

namespace pyhost::websocket {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// How many bytes in front are ASCII, a word at a time.
std::size_t ascii_words(std::string_view bytes) noexcept {
  std::size_t count = 0;
  std::uint64_t word = 0;
  for (; bytes.size() - count >= sizeof word; count += sizeof word) {
    std::memcpy(&word, bytes.data() + count, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return count;
}

}  // namespace

// The second byte decides whether a character is written too long, is a surrogate, or beyond
// U+10FFFF (RFC 3629, 4).
bool Utf8Check::begin(std::uint8_t byte) noexcept {
  low_ = 0x80;
  high_ = 0xBF;
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  if (byte == 0xE0) low_ = 0xA0;
  if (byte == 0xED) high_ = 0x9F;
  if (byte == 0xF0) low_ = 0x90;
  if (byte == 0xF4) high_ = 0x8F;
  return true;
}

bool Utf8Check::take(std::string_view bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (missing_ == 0) {
      i += ascii_words(bytes.substr(i));
      if (i == bytes.size()) return true;
    }
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (missing_ == 0) {
      if (!begin(byte)) return false;
      continue;
    }
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xBF;
    --missing_;
  }
  return true;
}

}  // namespace pyhost::websocket

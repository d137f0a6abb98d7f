// UTF-8 that comes in pieces.
#pragma once

#include <cstdint>
#include <string_view>

namespace pyhost::websocket {

// Finds the first byte that no UTF-8 can have where it is (RFC 3629), however the text is cut.
class Utf8Check {
 public:
  // False when the text is none, whatever follows; what is taken then has no meaning any more.
  bool take(std::string_view bytes) noexcept;
  // Whether the text may end here.
  bool complete() const noexcept { return missing_ == 0; }

 private:
  bool begin(std::uint8_t byte) noexcept;

  std::uint8_t missing_ = 0;  // bytes of a character
  std::uint8_t low_ = 0x80;   // what its next one may be
  std::uint8_t high_ = 0xBF;
};

}  // namespace pyhost::websocket

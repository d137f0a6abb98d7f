#include "httpd/hook_places.h"

namespace pyhost::test {

Headers basic(std::string_view credentials) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded = "Basic ";
  for (std::size_t at = 0; at < credentials.size(); at += 3) {
    const std::string_view three = credentials.substr(at, 3);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      encoded += i <= three.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return {{"Authorization", encoded}};
}

}  // namespace pyhost::test

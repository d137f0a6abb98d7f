#include "apache/status/html.h"

#include <array>

#include "base/printable.h"

namespace pyhost::apache {

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : base::printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string url_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string count_text(std::uint64_t number) {
  constexpr std::size_t kDigitsOfPart = 3;
  std::string text = fmt::to_string(number);
  for (std::size_t at = text.size(); at > kDigitsOfPart;) {
    at -= kDigitsOfPart;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  constexpr double kStep = 1024;
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= kStep && unit + 1 < kUnits.size(); ++unit) size /= kStep;
  return size < 10 && unit > 0 ? fmt::format("{:.1f} {}", size, kUnits[unit])
                               : fmt::format("{:.0f} {}", size, kUnits[unit]);
}

}  // namespace pyhost::apache

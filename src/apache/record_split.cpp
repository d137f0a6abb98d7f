#include "apache/record_split.h"

namespace pyhost::apache {
namespace {

// httpd writes \n and the like for some bytes and \xNN for those that are not printable ASCII.
std::size_t escaped_bytes(char c) noexcept {
  if (c >= ' ' && c < '\x7f' && c != '\\') return 1;
  return c == '\n' || c == '\t' || c == '\r' || c == '\\' ? 2 : 4;
}

// How many bytes of `text` fit.
std::size_t fitting(std::string_view text, std::size_t bytes_max) noexcept {
  std::size_t escaped = 0;
  std::size_t count = 0;
  for (; count < text.size(); ++count) {
    escaped += escaped_bytes(text[count]);
    if (escaped > bytes_max) break;
  }
  return count;
}

}  // namespace

std::vector<std::string_view> split_record(std::string_view text, std::size_t bytes_max) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t room = fitting(text, bytes_max);
    if (room == text.size()) {
      pieces.push_back(text);
      return pieces;
    }
    const auto newline = text.rfind('\n', room);
    const bool at_line_end = newline != text.npos && newline > 0;
    const std::size_t length = at_line_end ? newline : room;
    pieces.push_back(text.substr(0, length));
    text.remove_prefix(at_line_end ? length + 1 : length);
  }
}

}  // namespace pyhost::apache

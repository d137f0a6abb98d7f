#include "serve/log_lines.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/printable.h"

namespace pyhost::serve {
namespace {

constexpr std::string_view kOurTag = "[wsgi:";

// The byte of "\xHH" at the start of the text.
std::optional<unsigned char> escaped_byte(std::string_view text) {
  constexpr std::size_t kLength = 4;
  if (!text.starts_with("\\x") || text.size() < kLength) return std::nullopt;
  unsigned char byte = 0;
  const auto [stop, error] = std::from_chars(text.data() + 2, text.data() + kLength, byte, 16);
  if (error != std::errc() || stop != text.data() + kLength) return std::nullopt;
  return byte;
}

// How many bytes follow a first byte of UTF-8; nothing for a byte that starts no sequence.
std::optional<int> continuation_count(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  if (first >= 0xF0 && first <= 0xF4) return 3;
  return std::nullopt;
}

// The UTF-8 character that escapes at the start of the text spell; empty when they spell none.
std::string escaped_character(std::string_view text) {
  const auto first = escaped_byte(text);
  const auto continuations = first ? continuation_count(*first) : std::nullopt;
  if (!continuations) return {};
  std::string bytes(1, static_cast<char>(*first));
  for (int i = 1; i <= *continuations; ++i) {
    const auto next = escaped_byte(text.substr(std::min<std::size_t>(4 * i, text.size())));
    if (!next) return {};
    bytes += static_cast<char>(*next);
  }
  return base::printable(bytes) == bytes ? bytes : std::string();
}

// What a two-character escape stands for; '\0' for one that stays.
char simple_escape(std::string_view text) {
  if (text.size() < 2 || text[0] != '\\') return '\0';
  switch (text[1]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '"':
    case '\\':
      return text[1];
    default:
      return '\0';
  }
}

bool is_ours(std::string_view line) {
  const auto tag = line.find("] [");
  return line.starts_with('[') && tag != line.npos && line.substr(tag + 2).starts_with(kOurTag);
}

}  // namespace

std::string readable_log_line(std::string_view line) {
  const std::string printable = base::printable(line, "\t");
  if (!is_ours(line)) return printable;
  line = printable;
  constexpr std::size_t kByteEscape = 4;  // "\xHH"
  std::string shown;
  while (!line.empty()) {
    if (const char c = simple_escape(line); c != '\0') {
      shown += c;
      line.remove_prefix(2);
    } else if (const std::string character = escaped_character(line); !character.empty()) {
      shown += character;
      line.remove_prefix(kByteEscape * character.size());
    } else {
      shown += line.front();
      line.remove_prefix(1);
    }
  }
  return shown;
}

}  // namespace pyhost::serve

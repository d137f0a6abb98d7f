#include "serve/log_record.h"

#include <algorithm>
#include <charconv>

#include "base/printable.h"

namespace pyhost::serve {
namespace {

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

// Takes "[text] " off the front; false when there is none.
bool take_bracket(std::string_view& line, std::string_view& inside) {
  const auto end = line.find("] ");
  if (!line.starts_with('[') || end == line.npos) return false;
  inside = line.substr(1, end - 1);
  line.remove_prefix(end + 2);
  return true;
}

}  // namespace

bool LogRecord::has_id() const noexcept {
  constexpr std::size_t kIdLength = 6;  // "PH0174"
  return text.starts_with("PH") && text.size() > kIdLength && text[kIdLength] == ':';
}

std::optional<LogRecord> parse_log_record(std::string_view line) {
  LogRecord record;
  std::string_view what, process;
  if (!take_bracket(line, record.time) || !take_bracket(line, what) ||
      !take_bracket(line, process)) {
    return std::nullopt;
  }
  const auto colon = what.find(':');
  constexpr std::string_view kPid = "pid ";
  if (colon == what.npos || !process.starts_with(kPid)) return std::nullopt;
  record.module = what.substr(0, colon);
  record.level = what.substr(colon + 1);
  record.pid = process.substr(kPid.size(), process.find(':') - kPid.size());
  constexpr std::string_view kClient = "[client ";
  if (line.starts_with(kClient) && take_bracket(line, record.client)) {
    record.client.remove_prefix(kClient.size() - 1);
  }
  record.text = line;
  return record;
}

std::string unescaped(std::string_view text) {
  const std::string printable = base::printable(text, "\t");
  text = printable;
  constexpr std::size_t kByteEscape = 4;  // "\xHH"
  std::string shown;
  while (!text.empty()) {
    if (const char c = simple_escape(text); c != '\0') {
      shown += c;
      text.remove_prefix(2);
    } else if (const std::string character = escaped_character(text); !character.empty()) {
      shown += character;
      text.remove_prefix(kByteEscape * character.size());
    } else {
      shown += text.front();
      text.remove_prefix(1);
    }
  }
  return shown;
}

}  // namespace pyhost::serve

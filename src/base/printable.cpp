#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace pyhost::base {
namespace {

// A character at the start of a text; `bytes` is 0 when there is none in UTF-8.
struct Character {
  std::uint32_t code_point = 0;
  std::size_t bytes = 0;
};

// How many bytes a sequence has that begins with this one; 0 when none does.
std::size_t sequence_bytes(unsigned char first) noexcept {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

Character first_character(std::string_view text) noexcept {
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // for so many bytes
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = sequence_bytes(first);
  if (bytes == 0 || bytes > text.size()) return {};
  if (bytes == 1) return {first, 1};
  std::uint32_t code_point = first & (0xFFu >> (bytes + 1));
  for (const char c : text.substr(1, bytes - 1)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  const bool is_any = code_point >= kLeast[bytes] && code_point <= 0x10FFFF && !is_surrogate;
  return is_any ? Character{code_point, bytes} : Character{};
}

// Marks of the bidirectional algorithm, and separators of lines and paragraphs.
bool rearranges(std::uint32_t c) noexcept {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool is_only_read(std::uint32_t c) noexcept {
  const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  return !is_control && !rearranges(c);
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
}

void append_json_character(std::string& out, std::uint32_t code_point, std::string_view bytes) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  if (code_point == '"' || code_point == '\\') {
    out += '\\';
    out += bytes;
  } else if (code_point == '\n' || code_point == '\t') {
    out += code_point == '\n' ? "\\n" : "\\t";
  } else if (bytes.empty()) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", kReplacement);
  } else if (is_only_read(code_point)) {
    out += bytes;
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code_point);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto [code_point, bytes] = first_character(text);
    append_json_character(out, code_point, text.substr(0, bytes));
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  out += '"';
}

void append_printable(std::string& out, std::string_view text, std::string_view kept) {
  while (!text.empty()) {
    const auto [code_point, bytes] = first_character(text);
    const bool stays =
        bytes != 0 && (is_only_read(code_point) || kept.find(text.front()) != kept.npos);
    const std::string_view piece = text.substr(0, bytes == 0 ? 1 : bytes);
    if (stays) {
      out += piece;
    } else {
      append_escaped(out, piece);
    }
    text.remove_prefix(piece.size());
  }
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string out;
  append_printable(out, text, kept);
  return out;
}

}  // namespace pyhost::base

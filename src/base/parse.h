// Reading values out of configuration words and command lines: strict, whole-string, no locale.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pyhost::base {

// Decimal digits only, the whole text; empty, signs, blanks, junk and overflow give nothing.
std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept;

// "On" or "Off" in any letter case.
std::optional<bool> parse_flag(std::string_view text) noexcept;

// A positive decimal number such as 0.005, 1 or 5e-3; no sign before it.
std::optional<double> parse_positive_real(std::string_view text) noexcept;

// `text` without one + that stands before a digit.
std::string_view without_plus(std::string_view text) noexcept;

// A size: decimal digits and perhaps K, M or G (powers of 1024, any letter case). Overflow and junk
// give nothing.
std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept;

// A time: decimal digits and perhaps ms, s, min or h; a plain number counts in `unit`. Overflow and
// junk give nothing.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds unit) noexcept;

constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Whether two ASCII texts are equal without regard to letter case.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

// Whether the token, in any letter case, is one of those that commas separate.
bool has_token(std::string_view list, std::string_view token) noexcept;

// Whether a path begins at the root.
inline bool is_absolute_path(std::string_view path) noexcept {
  return path.starts_with('/');
}

}  // namespace pyhost::base

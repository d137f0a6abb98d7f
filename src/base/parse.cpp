#include "base/parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include "base/trimmed.h"

namespace pyhost::base {
namespace {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

using Units = std::span<const std::pair<std::string_view, std::uint64_t>>;

constexpr auto kByteUnits = std::to_array<std::pair<std::string_view, std::uint64_t>>(
    {{"k", 1u << 10}, {"m", 1u << 20}, {"g", 1u << 30}});
constexpr auto kMillisecondUnits = std::to_array<std::pair<std::string_view, std::uint64_t>>(
    {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}});

// A number and one of the units behind it, multiplied; `plain` is the factor when there is none.
std::optional<std::uint64_t> parse_quantity(std::string_view text, Units units, std::uint64_t plain,
                                            std::uint64_t max) noexcept {
  const auto digits = std::ranges::find_if_not(text, is_digit) - text.begin();
  const auto number = parse_unsigned(text.substr(0, digits));
  const std::string_view suffix = text.substr(digits);
  const auto unit = std::ranges::find_if(
      units, [suffix](const auto& each) { return equals_ignoring_case(each.first, suffix); });
  if (!number || (unit == units.end() && !suffix.empty())) return std::nullopt;
  const std::uint64_t factor = suffix.empty() ? plain : unit->second;
  if (*number > max / factor) return std::nullopt;
  return *number * factor;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, ascii_lower, ascii_lower);
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trimmed(list.substr(0, end)), token)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string_view without_plus(std::string_view text) noexcept {
  const bool signed_number = text.size() > 1 && text[0] == '+' && is_digit(text[1]);
  return signed_number ? text.substr(1) : text;
}

std::optional<bool> parse_flag(std::string_view text) noexcept {
  if (equals_ignoring_case(text, "on")) return true;
  if (equals_ignoring_case(text, "off")) return false;
  return std::nullopt;
}

std::optional<double> parse_positive_real(std::string_view text) noexcept {
  // Neither "inf" nor "nan", nor a sign.
  if (text.empty() || (!is_digit(text.front()) && text.front() != '.')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value <= 0) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept {
  return parse_quantity(text, kByteUnits, 1, std::numeric_limits<std::uint64_t>::max());
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds unit) noexcept {
  // A hundred years: far below what a clock's time point can take without overflow.
  constexpr std::uint64_t kMax = 100ull * 366 * 24 * 3'600'000;
  const auto count = parse_quantity(text, kMillisecondUnits, unit.count(), kMax);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(*count);
}

}  // namespace pyhost::base

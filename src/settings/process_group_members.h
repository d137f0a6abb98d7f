// Turns a member of ProcessGroup into the functions of a ProcessGroupOption.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <limits>

#include "base/clock.h"
#include "base/parse.h"
#include "settings/named_values.h"
#include "settings/process_group.h"

namespace pyhost::settings {

using Option = ProcessGroupOption;

// --- One value: parse_value() reads it from a word or gives nothing; format_value() writes it back

inline bool in_bounds(const Option& option, std::int64_t value) noexcept {
  return (value == 0 && option.zero_too) || (value >= option.min && value <= option.max);
}

inline bool is_accepted_text(const Option& option, std::string_view text) noexcept {
  return !text.empty() && text.find('\0') == text.npos &&
         (option.accepts == nullptr || option.accepts(text));
}

inline std::optional<bool> parse_value(const Option&, std::string_view text, bool) {
  return base::parse_flag(text);
}

inline std::optional<int> parse_value(const Option& option, std::string_view text, int) {
  int value = 0;
  text = base::without_plus(text);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (option.clamped) {
    return static_cast<int>(std::clamp<std::int64_t>(value, option.min, option.max));
  }
  return in_bounds(option, value) ? std::optional(value) : std::nullopt;
}

inline std::optional<unsigned> parse_value(const Option& option, std::string_view text, unsigned) {
  const auto value = base::parse_unsigned(base::without_plus(text));
  constexpr std::uint64_t kMax = std::numeric_limits<unsigned>::max();
  if (!value || *value > kMax || !in_bounds(option, *value)) return std::nullopt;
  return static_cast<unsigned>(*value);
}

inline std::optional<std::uint64_t> parse_value(const Option& option, std::string_view text,
                                                std::uint64_t) {
  const auto value = base::parse_bytes(base::without_plus(text));
  if (!value || *value > INT64_MAX || !in_bounds(option, *value)) return std::nullopt;
  return value;
}

inline std::optional<base::Milliseconds> parse_value(const Option& option, std::string_view text,
                                                     base::Milliseconds) {
  const auto value = base::parse_duration(base::without_plus(text), option.unit);
  return value && in_bounds(option, value->count()) ? value : std::nullopt;
}

inline std::optional<Reload> parse_value(const Option&, std::string_view text, Reload) {
  if (text == "rolling") return Reload::rolling;
  if (text == "off") return Reload::off;
  return std::nullopt;
}

inline std::optional<gateway::Protocol> parse_value(const Option&, std::string_view text,
                                                    gateway::Protocol) {
  return value_named(kInterfaces, text);
}

inline std::optional<gateway::LifespanUse> parse_value(const Option&, std::string_view text,
                                                       gateway::LifespanUse) {
  return value_named(kLifespanUses, text);
}

inline std::optional<gateway::LoopKind> parse_value(const Option&, std::string_view text,
                                                    gateway::LoopKind) {
  return value_named(kLoopKinds, text);
}

inline std::string format_value(const Option&, gateway::Protocol value) {
  return name_among(kInterfaces, value);
}

inline std::string format_value(const Option&, gateway::LifespanUse value) {
  return name_among(kLifespanUses, value);
}

inline std::string format_value(const Option&, gateway::LoopKind value) {
  return name_among(kLoopKinds, value);
}

inline std::optional<gateway::HttpSpec> parse_value(const Option&, std::string_view text,
                                                    gateway::HttpSpec) {
  return value_named(kHttpSpecs, text);
}

inline std::string format_value(const Option&, gateway::HttpSpec value) {
  return name_among(kHttpSpecs, value);
}

inline std::optional<double> parse_value(const Option&, std::string_view text, double) {
  return base::parse_positive_real(text);
}

inline std::optional<std::string> parse_value(const Option& option, std::string_view text,
                                              const std::string&) {
  const bool accepted = (text.empty() && option.empty_too) || is_accepted_text(option, text);
  return accepted ? std::optional<std::string>(text) : std::nullopt;
}

inline std::optional<std::vector<std::string>> parse_value(const Option& option,
                                                           std::string_view text,
                                                           const std::vector<std::string>&) {
  std::vector<std::string> items;
  for (std::size_t start = 0; start <= text.size();) {
    const auto found = option.separator == 0 ? text.npos : text.find(option.separator, start);
    const auto stop = std::min(found, text.size());
    const auto item = text.substr(start, stop - start);
    start = stop + 1;
    if (item.empty() && option.empty_too) continue;
    if (!is_accepted_text(option, item)) return std::nullopt;
    items.emplace_back(item);
  }
  return items;
}

inline std::string format_value(const Option&, bool value) {
  return value ? "On" : "Off";
}

inline std::string format_value(const Option&, Reload value) {
  return value == Reload::rolling ? "rolling" : "off";
}

inline std::string format_value(const Option& option, base::Milliseconds value) {
  if (value % option.unit == base::Milliseconds(0)) return fmt::to_string(value / option.unit);
  return fmt::format("{}ms", value.count());
}

inline std::string format_value(const Option&, const std::string& value) {
  return value;
}

template <class Number>
std::string format_value(const Option&, Number value) {
  return fmt::to_string(value);
}

// --- One member: a value, a value that may be absent, or a list ----------------------------------

template <class Value>
struct MemberValue {
  using Type = Value;
};

template <class Value>
struct MemberValue<std::optional<Value>> {
  using Type = Value;
};

template <class Class, class Value>
Value type_of(Value Class::*);

template <auto member>
using TypeOf = decltype(type_of(member));

inline tl::unexpected<base::Error> refused(const ProcessGroup& group, const Option& option,
                                           std::string_view text) {
  return base::fail(fmt::format("WSGIDaemonProcess {}: {}={} is not accepted; give {}", group.name,
                                option.key, text, option.accepted));
}

template <auto member>
base::Result<> assign_option(ProcessGroup& group, const Option& option, std::string_view text) {
  using Value = typename MemberValue<TypeOf<member>>::Type;
  auto value = parse_value(option, text, Value{});
  if (!value) return refused(group, option, text);
  if constexpr (requires { value->empty(); }) {
    if (option.empty_too && value->empty()) {
      group.*member = {};
      return {};
    }
  }
  auto& slot = group.*member;
  if constexpr (std::is_same_v<TypeOf<member>, std::vector<std::string>>) {
    if (option.separator == 0) value->insert(value->begin(), slot.begin(), slot.end());
  }
  slot = std::move(*value);
  return {};
}

inline std::vector<std::string> show_value(const Option& option,
                                           const std::vector<std::string>& list) {
  if (option.separator == 0 || list.empty()) return list;
  return {fmt::format("{}", fmt::join(list, std::string_view(&option.separator, 1)))};
}

inline std::vector<std::string> show_value(const Option&, const std::string& text) {
  return text.empty() ? std::vector<std::string>() : std::vector{text};
}

template <class Value>
std::vector<std::string> show_value(const Option& option, const Value& value) {
  return {format_value(option, value)};
}

template <class Value>
std::vector<std::string> show_value(const Option& option, const std::optional<Value>& value) {
  return value ? show_value(option, *value) : std::vector<std::string>();
}

template <auto member>
std::vector<std::string> show_option(const ProcessGroup& group, const Option& option) {
  return show_value(option, group.*member);
}

// The member behind &ProcessGroup::x.
template <auto pointer>
constexpr ProcessGroupMember member() {
  return {assign_option<pointer>, show_option<pointer>};
}

// --- Umask: a number written in octal ------------------------------------------------------------

inline base::Result<> assign_umask(ProcessGroup& group, const Option& option,
                                   std::string_view text) {
  constexpr unsigned kMax = 07777;
  // The kernel looks at no other bits.
  constexpr unsigned kMask = 0777;
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 8);
  if (error != std::errc() || stop != end || value > kMax) return refused(group, option, text);
  group.umask = value & kMask;
  return {};
}

inline std::vector<std::string> show_umask(const ProcessGroup& group, const Option&) {
  if (!group.umask) return {};
  return {fmt::format("{:03o}", *group.umask)};
}

}  // namespace pyhost::settings

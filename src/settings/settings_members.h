// Turns a member of a settings record into the functions of a settings::Setting.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/parse.h"
#include "settings/directives.h"

namespace pyhost::settings {

// --- One value: parse() reads it from a word, or gives nothing; format() writes it back ----------

inline bool is_accepted(const Directive& directive, std::string_view text) noexcept {
  return !text.empty() && (directive.accepts == nullptr || directive.accepts(text));
}

inline std::optional<bool> parse(const Directive&, std::string_view text, bool) {
  return base::parse_flag(text);
}

inline std::optional<unsigned> parse(const Directive& directive, std::string_view text, unsigned) {
  const auto number = base::parse_unsigned(base::without_plus(text));
  if (!number || (*number > directive.max && !directive.clamped)) return std::nullopt;
  return static_cast<unsigned>(std::min<std::uint64_t>(*number, directive.max));
}

inline std::optional<Seconds> parse(const Directive&, std::string_view text, Seconds) {
  const auto number = base::parse_positive_real(text);
  return number ? std::optional(Seconds(*number)) : std::nullopt;
}

inline std::optional<HeadMapping> parse(const Directive&, std::string_view text, HeadMapping) {
  if (base::equals_ignoring_case(text, "auto")) return HeadMapping::automatic;
  const auto flag = base::parse_flag(text);
  if (!flag) return std::nullopt;
  return *flag ? HeadMapping::on : HeadMapping::off;
}

inline std::optional<HashSeed> parse(const Directive&, std::string_view text, HashSeed) {
  if (text == "random") return HashSeed{};
  const auto number = base::parse_unsigned(text);
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return HashSeed{static_cast<std::uint32_t>(*number)};
}

inline std::optional<std::string_view> parse(const Directive& directive, std::string_view text,
                                             std::string_view) {
  return is_accepted(directive, text) ? std::optional(text) : std::nullopt;
}

inline std::optional<NameList> parse(const Directive&, std::string_view text, NameList) {
  return NameList{text};
}

inline std::optional<TextList> parse(const Directive& directive, std::string_view text,
                                     const TextList&) {
  TextList list;
  for (std::size_t start = 0; start <= text.size();) {
    const auto stop = std::min(text.find(directive.separator, start), text.size());
    const auto item = text.substr(start, stop - start);
    start = stop + 1;
    // Templates leave separators behind.
    if (item.empty() && directive.separator != ' ') continue;
    if (!is_accepted(directive, item)) return std::nullopt;
    list.push_back(item);
  }
  return list;
}

inline std::string format(const Directive&, bool value) {
  return value ? "On" : "Off";
}

inline std::string format(const Directive&, unsigned value) {
  return fmt::to_string(value);
}

inline std::string format(const Directive&, Seconds value) {
  return fmt::to_string(value.count());
}

inline std::string format(const Directive&, HeadMapping value) {
  if (value == HeadMapping::automatic) return "Auto";
  return value == HeadMapping::on ? "On" : "Off";
}

inline std::string format(const Directive&, HashSeed value) {
  return value.fixed ? fmt::to_string(*value.fixed) : "random";
}

inline std::string format(const Directive&, std::string_view value) {
  return std::string(value);
}

inline std::string format(const Directive&, NameList value) {
  return std::string(value.text);
}

inline std::string format(const Directive& directive, const TextList& value) {
  return fmt::format("{}", fmt::join(value, std::string_view(&directive.separator, 1)));
}

inline tl::unexpected<base::Error> not_accepted(const Directive& directive, std::string_view text) {
  return base::fail(
      fmt::format("{}: '{}' is not accepted; give {}", directive.name, text, directive.accepted));
}

// --- One member ----------------------------------------------------------------------------------

template <class Member>
struct MemberOf;

template <class R, class V>
struct MemberOf<std::optional<V> R::*> {
  using Record = R;
  using Value = V;
};

template <auto member>
base::Result<> assign_member(typename MemberOf<decltype(member)>::Record& record,
                             const Directive& directive, std::string_view text) {
  using Value = typename MemberOf<decltype(member)>::Value;
  auto value = parse(directive, text, Value{});
  if (!value) return not_accepted(directive, text);
  auto& slot = record.*member;
  if constexpr (std::is_same_v<Value, TextList>) {
    if (slot) value->insert(value->begin(), slot->begin(), slot->end());
  }
  slot = std::move(*value);
  return {};
}

template <auto member>
void inherit_member(typename MemberOf<decltype(member)>::Record& record,
                    const typename MemberOf<decltype(member)>::Record& parent) {
  if (!(record.*member)) record.*member = parent.*member;
}

template <auto member>
std::string show_member(const typename MemberOf<decltype(member)>::Record& record,
                        const Directive& directive) {
  return record.*member ? format(directive, *(record.*member)) : std::string();
}

// The setting behind &ProcessSettings::x or &RequestSettings::x.
template <auto member>
constexpr Setting<typename MemberOf<decltype(member)>::Record> setting() {
  return {assign_member<member>, inherit_member<member>, show_member<member>};
}

}  // namespace pyhost::settings

// Turns a member of a settings record into the functions of a settings::Setting.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "base/log_level.h"
#include "base/parse.h"
#include "settings/directives.h"
#include "settings/named_values.h"

namespace pyhost::settings {

inline std::string_view name_of(Tracing tracing) noexcept {
  if (tracing == Tracing::off) return "off";
  return tracing == Tracing::log ? "log" : "propagate";
}

// --- One value: parse() reads it from a word, or gives nothing; format() writes it back ----------

// Calls `take` with each word of a text that has blanks between them, until that gives false.
template <class Take>
bool for_each_word(std::string_view text, Take take) {
  for (std::size_t start = 0; start < text.size();) {
    const auto stop = std::min(text.find(' ', start), text.size());
    if (!take(text.substr(start, stop - start))) return false;
    start = stop + 1;
  }
  return true;
}

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

inline std::optional<Seconds> parse(const Directive& directive, std::string_view text, Seconds) {
  // 0 is for directives that say so.
  if (text == "0" && directive.accepts != nullptr && directive.accepts(text)) return Seconds(0);
  const auto number = base::parse_positive_real(text);
  return number ? std::optional(Seconds(*number)) : std::nullopt;
}

// A flag, or Auto.
template <class Choice>
std::optional<Choice> parse_choice(std::string_view text) {
  if (base::equals_ignoring_case(text, "auto")) return Choice::automatic;
  const auto flag = base::parse_flag(text);
  if (!flag) return std::nullopt;
  return *flag ? Choice::on : Choice::off;
}

inline std::optional<HeadMapping> parse(const Directive&, std::string_view text, HeadMapping) {
  return parse_choice<HeadMapping>(text);
}

inline std::optional<PassAuthorization> parse(const Directive&, std::string_view text,
                                              PassAuthorization) {
  return parse_choice<PassAuthorization>(text);
}

inline std::optional<Tracing> parse(const Directive&, std::string_view text, Tracing) {
  for (const Tracing tracing : {Tracing::off, Tracing::log, Tracing::propagate}) {
    if (base::equals_ignoring_case(text, name_of(tracing))) return tracing;
  }
  return std::nullopt;
}

inline std::optional<gateway::Protocol> parse(const Directive&, std::string_view text,
                                              gateway::Protocol) {
  return value_named(kInterfaces, text);
}

inline std::optional<Logging::Handler> parse_handler(std::string_view text) {
  if (base::equals_ignoring_case(text, "json")) return Logging::Handler::json;
  const auto flag = base::parse_flag(text);
  if (!flag) return std::nullopt;
  return *flag ? Logging::Handler::lines : Logging::Handler::none;
}

// One word behind the first.
inline bool set_level(Logging& logging, std::string_view word) {
  const auto equals = word.find('=');
  if (equals == word.npos) return false;
  const auto level = base::parse_log_level(word.substr(equals + 1));
  const auto stream = word.substr(0, equals);
  if (!level || (stream != "stdout" && stream != "stderr")) return false;
  (stream == "stdout" ? logging.output : logging.errors) = *level;
  return true;
}

inline std::optional<Logging> parse(const Directive&, std::string_view text, const Logging&) {
  const auto blank = std::min(text.find(' '), text.size());
  const auto handler = parse_handler(text.substr(0, blank));
  if (!handler) return std::nullopt;
  Logging logging{.handler = *handler};
  const bool read = for_each_word(text.substr(std::min(blank + 1, text.size())),
                                  [&](std::string_view word) { return set_level(logging, word); });
  return read ? std::optional(logging) : std::nullopt;
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

template <class Accepts>
std::string_view first_refused(std::string_view text, Accepts accepts) {
  std::string_view culprit;
  for_each_word(text, [&](std::string_view word) {
    if (accepts(word)) return true;
    culprit = word;
    return false;
  });
  return culprit;
}

inline std::string_view culprit_in(std::string_view text, const NetworkList&) {
  return first_refused(
      text, [](std::string_view word) { return base::parse_ip_network(word).has_value(); });
}

inline std::string_view culprit_in(std::string_view text, const ForwardedHeaderList&) {
  return first_refused(text, is_header_name);
}

// Grows the list by networks, in a new array.
inline bool extend(NetworkList& list, std::string_view text, std::pmr::memory_resource& memory) {
  std::vector<base::IpNetwork> networks(list.networks.begin(), list.networks.end());
  const bool read = for_each_word(text, [&](std::string_view word) {
    const auto network = base::parse_ip_network(word);
    if (network) networks.push_back(*network);
    return network.has_value();
  });
  if (!read || text.empty()) return false;
  auto* kept = std::pmr::polymorphic_allocator<base::IpNetwork>(&memory).allocate(networks.size());
  std::uninitialized_copy(networks.begin(), networks.end(), kept);
  list.networks = {kept, networks.size()};
  return true;
}

inline bool extend(ForwardedHeaderList& list, std::string_view text, std::pmr::memory_resource&) {
  return !text.empty() && for_each_word(text, [&](std::string_view word) {
    add_header(list, word);
    return is_header_name(word);
  });
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

template <class Choice>
std::string format_choice(Choice value) {
  if (value == Choice::automatic) return "Auto";
  return value == Choice::on ? "On" : "Off";
}

inline std::string format(const Directive&, HeadMapping value) {
  return format_choice(value);
}

inline std::string format(const Directive&, PassAuthorization value) {
  return format_choice(value);
}

inline std::string format(const Directive&, Tracing value) {
  return std::string(name_of(value));
}

inline std::string format(const Directive&, gateway::Protocol value) {
  return name_among(kInterfaces, value);
}

inline std::string format(const Directive&, const Logging& value) {
  const std::string_view handler = value.handler == Logging::Handler::none    ? "Off"
                                   : value.handler == Logging::Handler::lines ? "On"
                                                                              : "json";
  return fmt::format("{} stdout={} stderr={}", handler, base::name_of(value.output),
                     base::name_of(value.errors));
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

inline std::string format(const Directive&, const NetworkList& value) {
  std::string text;
  for (const base::IpNetwork& network : value.networks) {
    text.append(text.empty() ? "" : " ").append(base::to_string(network));
  }
  return text;
}

inline std::string format(const Directive&, const ForwardedHeaderList& value) {
  std::string text;
  for (const std::size_t number : value.headers()) {
    text.append(text.empty() ? "" : " ").append(kForwardedHeaders[number].name);
  }
  return text;
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

// A value that grows by each line, in memory of its own.
template <class Value>
concept Extensible = requires(Value& value, std::pmr::memory_resource& memory) {
  extend(value, std::string_view(), memory);
};

template <auto member>
base::Result<> assign_member(typename MemberOf<decltype(member)>::Record& record,
                             const Directive& directive, std::string_view text,
                             std::pmr::memory_resource& memory) {
  using Value = typename MemberOf<decltype(member)>::Value;
  auto& slot = record.*member;
  if constexpr (Extensible<Value>) {
    Value longer = slot.value_or(Value{});
    if (!extend(longer, text, memory)) return not_accepted(directive, culprit_in(text, longer));
    slot = longer;
  } else {
    auto value = parse(directive, text, Value{});
    if (!value) return not_accepted(directive, text);
    if constexpr (std::is_same_v<Value, TextList>) {
      if (slot) value->insert(value->begin(), slot->begin(), slot->end());
    }
    slot = std::move(*value);
  }
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

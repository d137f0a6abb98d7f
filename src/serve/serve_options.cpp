#include "serve/serve_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include "base/parse.h"
#include "settings/process_group.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

std::vector<ServeOption> make_table() {
  std::vector<ServeOption> table;
  std::string_view heading;
#define PH_HEADING(text) heading = text;
#define PH_OPTION(value_kind, pointer, option_name, standard, ...) \
  table.push_back({.name = option_name,                            \
                   .heading = heading,                             \
                   .kind = ValueKind::value_kind,                  \
                   .member = &ServeOptions::pointer,               \
                   __VA_ARGS__});
#define PH_GROUP_OPTION(pointer, option_name, ...)   \
  table.push_back({.name = option_name,              \
                   .heading = heading,               \
                   .kind = ValueKind::Text,          \
                   .member = &ServeOptions::pointer, \
                   .of_group = true,                 \
                   __VA_ARGS__});
#include "serve/serve_options.def"
#undef PH_HEADING
#undef PH_OPTION
#undef PH_GROUP_OPTION
  return table;
}

const settings::ProcessGroupOption& group_option(const ServeOption& option) {
  return *std::ranges::find(settings::process_group_options(), option.name,
                            &settings::ProcessGroupOption::key);
}

bool is_choice(const ServeOption& option, std::string_view text) {
  const std::string among = fmt::format(" {} ", option.choices);
  return !text.empty() && text.find(' ') == text.npos &&
         among.find(fmt::format(" {} ", text)) != among.npos;
}

// A line of httpd's configuration cannot hold what a terminal cannot show.
bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool in_bounds(const ServeOption& option, std::uint64_t value) {
  return value >= static_cast<std::uint64_t>(option.min) &&
         value <= static_cast<std::uint64_t>(option.max);
}

std::string absolute(std::string_view text, const ValuePlace& place) {
  if (text.empty()) return {};
  std::error_code error;
  const fs::path folder = place.folder.empty() ? fs::current_path(error) : fs::path(place.folder);
  const std::string path = (folder / text).lexically_normal();
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

std::string as_kept(const ServeOption& option, std::string_view text, const ValuePlace& place) {
  const bool is_file =
      option.is_path() || (option.kind == ValueKind::LogFile && text != "-" && text != "none");
  return is_file ? absolute(text, place) : std::string(text);
}

// --- One value: put() reads it and gives whether it is one ---------------------------------------

bool put(std::string& member, const ServeOption& option, std::string_view text,
         const ValuePlace& place) {
  if (option.kind == ValueKind::Choice && !is_choice(option, text)) return false;
  if (option.of_group) {
    settings::ProcessGroup trial;
    if (!parse_process_group_option(trial, option.name, text)) return false;
  }
  member = as_kept(option, text, place);
  return true;
}

bool put(int& member, const ServeOption& option, std::string_view text, const ValuePlace&) {
  const auto value = base::parse_unsigned(text);
  if (!value || !in_bounds(option, *value)) return false;
  member = static_cast<int>(*value);
  return true;
}

bool put(base::Milliseconds& member, const ServeOption& option, std::string_view text,
         const ValuePlace&) {
  const auto value = base::parse_duration(text, std::chrono::seconds(1));
  if (!value || !in_bounds(option, static_cast<std::uint64_t>(value->count()))) return false;
  member = *value;
  return true;
}

bool put(std::uint64_t& member, const ServeOption& option, std::string_view text,
         const ValuePlace&) {
  const auto value = base::parse_bytes(text);
  if (!value || !in_bounds(option, *value)) return false;
  member = *value;
  return true;
}

bool put(bool& member, const ServeOption&, std::string_view text, const ValuePlace&) {
  if (text != "true" && text != "false") return false;
  member = text == "true";
  return true;
}

bool put(std::vector<std::string>& member, const ServeOption& option, std::string_view text,
         const ValuePlace& place) {
  if (text.empty()) return false;
  member.push_back(as_kept(option, text, place));
  return true;
}

bool put(Pairs& member, const ServeOption& option, std::string_view text, const ValuePlace& place) {
  const auto equals = text.find('=');
  const bool whole = option.kind != ValueKind::UrlFolders || equals + 1 < text.size();
  if (equals == text.npos || equals == 0 || !whole) return false;
  member.emplace_back(text.substr(0, equals), as_kept(option, text.substr(equals + 1), place));
  return true;
}

// --- The same value back -------------------------------------------------------------------------

std::string show(const std::string& value) {
  return value;
}
std::string show(int value) {
  return fmt::to_string(value);
}
std::string show(base::Milliseconds value) {
  constexpr int kThousand = 1000;
  return value.count() % kThousand == 0 ? fmt::to_string(value.count() / kThousand)
                                        : fmt::format("{}ms", value.count());
}
std::string show(std::uint64_t value) {
  constexpr std::uint64_t kMega = 1u << 20;
  return value != 0 && value % kMega == 0 ? fmt::format("{}M", value / kMega)
                                          : fmt::to_string(value);
}
std::string show(bool) {
  return {};
}
template <class Item>
std::string show(const std::vector<Item>&) {
  return {};
}

}  // namespace

std::string ServeOptions::named(std::string_view name) const {
  const auto place = places.find(name);
  return place != places.end() ? place->second : fmt::format("--{}", name);
}

std::vector<OtherName> ServeOption::other_names() const {
  constexpr std::string_view kTwoWords = ":2";
  std::vector<OtherName> names;
  std::istringstream words{std::string(aliases)};
  for (std::string name; words >> name;) {
    const bool two = name.ends_with(kTwoWords);
    if (two) name.resize(name.size() - kTwoWords.size());
    names.push_back({.name = name, .words = two ? 2 : 1});
  }
  return names;
}

std::span<const ServeOption> serve_options() {
  static const std::vector<ServeOption> table = make_table();
  return table;
}

const ServeOption* find_option(std::string_view name) {
  const auto found = std::ranges::find(serve_options(), name, &ServeOption::name);
  return found != serve_options().end() ? &*found : nullptr;
}

std::string accepted_by(const ServeOption& option) {
  if (option.of_group) return group_option(option).accepted;
  switch (option.kind) {
    case ValueKind::Choice:
      return fmt::format("one of {}", option.choices);
    case ValueKind::Number:
      return fmt::format("a number from {} to {}", option.min, option.max);
    case ValueKind::Seconds:
      return fmt::format("a time from {} to {} s, such as 30, 30s or 500ms", option.min / 1000,
                         option.max / 1000);
    case ValueKind::Bytes:
      return "a size in bytes such as 1073741824 or 512M";
    case ValueKind::Flag:
      return "true or false";
    case ValueKind::Pairs:
    case ValueKind::UrlFolders:
      return std::string(option.metavar);
    default:
      return "a text without control characters";
  }
}

std::string help_of(const ServeOption& option) {
  std::vector<std::string> facts;
  if (option.kind == ValueKind::Number) {
    facts.push_back(fmt::format("{} to {}", option.min, option.max));
  }
  if (option.kind == ValueKind::Choice) {
    std::string choices;
    for (const char c : option.choices) {
      if (c == ' ') choices += ',';
      choices += c;
    }
    facts.push_back(fmt::format("one of {}", choices));
  }
  const std::string standard = default_of(option);
  if (!standard.empty()) facts.push_back(fmt::format("default: {}", standard));
  std::string others;
  for (const OtherName& other : option.other_names()) {
    others += fmt::format("{}--{}", others.empty() ? "also " : ", ", other.name);
    if (other.words == 1) continue;
    const auto equals = option.metavar.find('=');
    others +=
        fmt::format(" {} {}", option.metavar.substr(0, equals), option.metavar.substr(equals + 1));
  }
  if (!others.empty()) facts.push_back(others);
  return facts.empty() ? std::string(option.help)
                       : fmt::format("{} ({})", option.help, fmt::join(facts, "; "));
}

std::string default_of(const ServeOption& option) {
  const ServeOptions defaults;
  const std::string text =
      std::visit([&](auto member) { return show(defaults.*member); }, option.member);
  // That of a number which was not given.
  return text == "0" ? std::string() : text;
}

base::Result<> assign(ServeOptions& options, const ServeOption& option, std::string_view text,
                      const ValuePlace& place) {
  const auto put_member = [&](auto member) { return put(options.*member, option, text, place); };
  if (!is_printable(text) || !std::visit(put_member, option.member)) {
    return base::fail(fmt::format("{} {}: {} is needed", place.name, text.empty() ? "''" : text,
                                  accepted_by(option)));
  }
  options.places.insert_or_assign(std::string(option.name), place.name);
  return {};
}

void add_defaults(ServeOptions& options, const ServeOptions& defaults) {
  if (options.target.empty()) {
    options.target = defaults.target;
  }
  for (const ServeOption& option : serve_options()) {
    const auto place = defaults.places.find(option.name);
    if (place == defaults.places.end() || options.has(option.name)) continue;
    std::visit([&](auto member) { options.*member = defaults.*member; }, option.member);
    options.places.insert(*place);
  }
}

}  // namespace pyhost::serve

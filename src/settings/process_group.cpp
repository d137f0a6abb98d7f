#include "settings/process_group.h"

#include <algorithm>
#include <array>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/path_glob.h"
#include "settings/process_group_members.h"

namespace pyhost::settings {
namespace {

using base::is_absolute_path;

using G = ProcessGroup;

constexpr const char kTime[] = "a time such as 30, 30s or 500ms";
constexpr const char kSize[] = "a size in bytes such as 1073741824 or 512M";
constexpr const char kPath[] = "an absolute path";
constexpr const char kUser[] = "the name of a user, or # and a number";
constexpr const char kPlainUser[] = "the name of a user other than root, or # and a number above 0";
constexpr const char kGroupList[] = "names of groups, or # and numbers, separated by commas";
constexpr const char kPathList[] = "directories separated by colons";
constexpr const char kUmask[] = "an octal number from 0 to 7777";
constexpr const char kNumber[] = "a number from 0 to 4294967295";
constexpr const char kFlag[] = "On or Off";
constexpr const char kLocale[] = "the name of a locale";
constexpr const char kAssignment[] = "NAME=value";
constexpr const char kDisplayName[] = "a text, or %{GROUP}";
constexpr const char kGlob[] =
    "an absolute path such as /srv/app/*.py, with a name as its first component, and ** at most "
    "once and alone in its component";
constexpr const char kGroup[] = "the name of a group, or # and a number";

// A name, or "#id". (uid_t)-1 is no id: system calls take it for "leave as it is".
bool is_user_or_group(std::string_view text) noexcept {
  if (text.front() != '#') return true;
  const auto id = base::parse_unsigned(text.substr(1));
  return id && *id < UINT32_MAX;
}

bool is_plain_user(std::string_view text) noexcept {
  if (text == "root") return false;
  return is_user_or_group(text) &&
         (text.front() != '#' || base::parse_unsigned(text.substr(1)) > 0u);
}

// "3.13"
bool is_python_version(std::string_view text) noexcept {
  const auto is_number = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto dot = text.find('.');
  return dot != text.npos && is_number(text.substr(0, dot)) && is_number(text.substr(dot + 1));
}

bool is_assignment(std::string_view text) noexcept {
  const auto equals = text.find('=');
  return equals != text.npos && equals != 0;
}

bool is_glob(std::string_view text) noexcept {
  return base::PathGlob::parse(text).has_value();
}

constexpr auto kOptions = std::to_array<ProcessGroupOption>({
#include "settings/process_group_options.def"
#include "settings/process_group_options_of_life.def"
#include "settings/process_group_options_of_sockets.def"
});

}  // namespace

std::span<const ProcessGroupOption> process_group_options() noexcept {
  return kOptions;
}

base::Result<> parse_process_group_option(ProcessGroup& group, std::string_view key,
                                          std::string_view value) {
  const auto found = std::ranges::find(kOptions, key, &ProcessGroupOption::key);
  if (found == kOptions.end()) {
    std::vector<std::string_view> keys;
    keys.reserve(std::size(kOptions));
    for (const ProcessGroupOption& option : kOptions) keys.emplace_back(option.key);
    return base::fail(fmt::format("WSGIDaemonProcess {}: there is no option {}={}", group.name, key,
                                  base::hint_at_nearest(key, keys)));
  }
  return found->member.assign(group, *found, value);
}

base::Result<> check_process_group(const ProcessGroup& group) {
  if (group.name.empty()) return base::fail("WSGIDaemonProcess needs the name of a group");
  if (!group.script_user.empty() && !group.script_group.empty()) {
    return base::fail(fmt::format(
        "WSGIDaemonProcess {}: script-user= and script-group= exclude each other", group.name));
  }
  return {};
}

bool is_given(const ProcessGroup& group, const ProcessGroupOption& option) {
  return option.member.show(group, option) != option.member.show(ProcessGroup(), option);
}

std::optional<OptionDifference> first_difference(const ProcessGroup& first,
                                                 const ProcessGroup& second) {
  const auto as_written = [](const ProcessGroup& group, const ProcessGroupOption& option) {
    if (!is_given(group, option)) return fmt::format("no {}=", option.key);
    std::string text;
    for (const std::string& value : option.member.show(group, option)) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", option.key, value);
    }
    return text;
  };
  for (const ProcessGroupOption& each : kOptions) {
    if (each.member.show(first, each) == each.member.show(second, each)) continue;
    return OptionDifference{
        .key = each.key, .first = as_written(first, each), .second = as_written(second, each)};
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> given_options(const ProcessGroup& group) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const ProcessGroupOption& each : kOptions) {
    if (!is_given(group, each)) continue;
    for (const std::string& value : each.member.show(group, each)) {
      options.emplace_back(each.key, value);
    }
  }
  return options;
}

}  // namespace pyhost::settings

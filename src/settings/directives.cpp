#include "settings/directives.h"

#include <array>
#include <limits>

#include "base/parse.h"
#include "settings/global_name.h"
#include "settings/settings_members.h"

namespace pyhost::settings {
namespace {

using base::is_absolute_path;

using P = ProcessSettings;
using R = RequestSettings;

constexpr const char kFlagSyntax[] = "On|Off";
constexpr const char kFlagAccepted[] = "On or Off";

bool is_group_name(std::string_view text) noexcept {
  if (!text.starts_with("%{")) return true;
  return text == kGlobalName || text == "%{RESOURCE}" || text == "%{SERVER}" || text == "%{HOST}" ||
         (text.starts_with("%{ENV:") && text.ends_with('}'));
}

bool is_flag(std::string_view text) noexcept {
  return base::parse_flag(text).has_value();
}

bool is_telemetry_target(std::string_view text) noexcept {
  const auto blank = text.find(' ');
  const std::string_view target = text.substr(0, blank);
  constexpr std::string_view kInterval = "interval=";
  constexpr double kShortest = 0.5;
  if (!target.starts_with("unix:")) return false;
  if (blank == text.npos) return true;
  const std::string_view interval = text.substr(blank + 1);
  if (!interval.starts_with(kInterval)) return false;
  const auto seconds = base::parse_positive_real(interval.substr(kInterval.size()));
  return seconds && *seconds >= kShortest;
}

bool is_telemetry_options(std::string_view text) noexcept {
  return text == "None" || text == "All" || text == "CaptureUserAgent" ||
         text == "+CaptureUserAgent" || text == "-CaptureUserAgent";
}

bool is_seconds(std::string_view text) noexcept {
  return text == "0" || base::parse_positive_real(text).has_value();
}

bool is_accept_mutex(std::string_view text) noexcept {
  constexpr std::string_view kMechanisms[]{"default", "flock",    "fcntl",
                                           "sysvsem", "posixsem", "pthread"};
  return std::ranges::any_of(kMechanisms, [text](std::string_view known) {
    return base::equals_ignoring_case(text, known);
  });
}

constexpr auto kDirectives = std::to_array<Directive>({
#include "settings/directives.def"
#include "settings/directives_of_python.def"
#include "settings/hook_directives.def"
#include "settings/inert_directives.def"
});

template <class Record>
Record inherit_members(Record settings, const Record& parent) {
  for (const Directive& directive : kDirectives) {
    if (const auto* setting = std::get_if<Setting<Record>>(&directive.meaning)) {
      setting->inherit(settings, parent);
    }
  }
  return settings;
}

template <class Record>
std::string show_members(const Record& settings) {
  std::string lines;
  for (const Directive& directive : kDirectives) {
    const auto* setting = std::get_if<Setting<Record>>(&directive.meaning);
    if (setting == nullptr) continue;
    const std::string value = setting->show(settings, directive);
    if (!value.empty()) lines += fmt::format("{} {}\n", directive.name, value);
  }
  return lines;
}

}  // namespace

bool NameList::contains(std::string_view name) const noexcept {
  for (std::size_t start = 0; start < text.size();) {
    const auto stop = std::min(text.find(' ', start), text.size());
    if (text.substr(start, stop - start) == name) return true;
    start = stop + 1;
  }
  return false;
}

std::string_view describe(Scope scope) noexcept {
  switch (scope) {
    case Scope::global:
      return "main server";
    case Scope::server:
      return "main server, virtual host";
    case Scope::directory:
      return "main server, virtual host, directory";
    case Scope::authconfig:
      return "directory, .htaccess (AllowOverride AuthConfig)";
    case Scope::fileinfo:
      break;
  }
  return "main server, virtual host, directory, .htaccess (AllowOverride FileInfo)";
}

std::string written_name(const Directive& directive) {
  const bool section = std::holds_alternative<OptionsSection>(directive.meaning);
  return section ? fmt::format("<{}>", directive.name) : directive.name;
}

std::span<const Directive> all_directives() noexcept {
  return kDirectives;
}

const Directive* find_alias_option(std::string_view key) noexcept {
  const auto found = std::ranges::find_if(kDirectives, [key](const Directive& directive) {
    return directive.option != nullptr && key == directive.option;
  });
  return found == kDirectives.end() ? nullptr : &*found;
}

base::Result<> assign(const Directive& directive, ProcessSettings& record, std::string_view value,
                      std::pmr::memory_resource& memory) {
  return std::get<Setting<P>>(directive.meaning).assign(record, directive, value, memory);
}

base::Result<> assign(const Directive& directive, RequestSettings& record, std::string_view value,
                      std::pmr::memory_resource& memory) {
  return std::get<Setting<R>>(directive.meaning).assign(record, directive, value, memory);
}

base::Result<> check_inert(const Directive& directive, std::string_view value) {
  if (!is_accepted(directive, value)) return not_accepted(directive, value);
  return {};
}

ProcessSettings inherit(ProcessSettings settings, const ProcessSettings& parent) {
  return inherit_members(std::move(settings), parent);
}

RequestSettings inherit(RequestSettings settings, const RequestSettings& parent) noexcept {
  return inherit_members(settings, parent);
}

std::string show(const ProcessSettings& settings) {
  return show_members(settings);
}

std::string show(const RequestSettings& settings) {
  return show_members(settings);
}

}  // namespace pyhost::settings

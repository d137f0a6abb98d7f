#include "launch/worker_environment.h"

#include <fmt/format.h>

#include <map>
#include <sstream>
#include <string_view>

#include "base/locale_coercion.h"

namespace pyhost::launch {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// False when the text is no NAME=value.
bool set_variable(Variables& variables, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0) return false;
  variables.insert_or_assign(std::string(assignment.substr(0, equals)),
                             std::string(assignment.substr(equals + 1)));
  return true;
}

base::Result<> add_env_file(const std::string& path, const std::string& env_text,
                            Variables& variables) {
  std::istringstream lines(env_text);
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#') continue;
    const auto equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    if (equals == text.npos || name.empty() || text.find('\0') != text.npos) {
      return base::fail(fmt::format("env-file={}: line {} is not NAME=value", path, number));
    }
    variables.insert_or_assign(std::string(name),
                               std::string(unquoted(trimmed(text.substr(equals + 1)))));
  }
  return {};
}

// As Python does for itself: programs that applications start are to understand UTF-8.
void coerce_ctype(Variables& variables) {
  const auto value_of = [&variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string_view() : std::string_view(found->second);
  };
  const char* coerced =
      base::coerced_ctype(value_of("LC_ALL"), value_of("LC_CTYPE"), value_of("LANG"));
  if (coerced != nullptr) variables["LC_CTYPE"] = coerced;
}

base::Result<Variables> collect(const settings::ProcessGroup& group, const Credentials& credentials,
                                const char* const* inherited, const std::string& env_text) {
  Variables variables;
  for (; *inherited != nullptr; ++inherited) set_variable(variables, *inherited);
  if (!credentials.home.empty()) variables["HOME"] = credentials.home;
  for (const char* name : {"USER", "LOGNAME"}) {
    const auto found = variables.find(name);
    if (found != variables.end()) found->second = credentials.user_name;
  }
  if (!group.lang.empty()) variables["LANG"] = group.lang;
  if (!group.locale.empty()) variables["LC_ALL"] = group.locale;
  if (!group.python_eggs.empty()) variables["PYTHON_EGG_CACHE"] = group.python_eggs;
  PH_TRY_VOID(add_env_file(group.env_file, env_text, variables));
  for (const std::string& assignment : group.env) set_variable(variables, assignment);
  coerce_ctype(variables);
  return variables;
}

}  // namespace

base::Result<std::vector<std::string>> worker_environment(const settings::ProcessGroup& group,
                                                          const Credentials& credentials,
                                                          const char* const* inherited,
                                                          const std::string& env_text) {
  const auto variables = collect(group, credentials, inherited, env_text);
  if (!variables) {
    return base::fail(
        fmt::format("WSGIDaemonProcess {}: {}", group.name, variables.error().sentence));
  }
  std::vector<std::string> entries;
  for (const auto& [name, value] : *variables) entries.push_back(fmt::format("{}={}", name, value));
  return entries;
}

}  // namespace pyhost::launch

#include "apache/config/interpreter_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "apache/config/words.h"
#include "apache/pool.h"
#include "base/parse.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

// As httpd has the name of a section.
constexpr std::string_view kSection = "<WSGIInterpreterOptions";

std::string_view literal_name(std::string_view name) {
  return name == settings::kGlobalName ? std::string_view() : name;
}

// `key=value`, or all of it in quotes.
base::Result<std::pair<std::string_view, std::string_view>> next_selector(Words& words) {
  if (!words.at_quote()) return words.next_option();
  const std::string_view word = words.next();
  const auto equals = word.find('=');
  if (equals == word.npos || equals == 0) {
    return base::fail(fmt::format("{}>: '{}' is not an option=value", kSection, word));
  }
  return std::pair(word.substr(0, equals), word.substr(equals + 1));
}

base::Result<> select(InterpreterSection& section, std::string_view key, std::string_view value) {
  const bool of_process = base::equals_ignoring_case(key, "process-group");
  if (!of_process && !base::equals_ignoring_case(key, "application-group")) {
    return base::fail(fmt::format(
        "{}>: unknown option '{}'; known are process-group= and application-group=", kSection,
        key));
  }
  auto& selector = of_process ? section.process_group : section.application_group;
  if (selector) return base::fail(fmt::format("{}>: {}= is given twice", kSection, key));
  selector = literal_name(value);
  return {};
}

base::Result<InterpreterSection*> read_section(cmd_parms* cmd, std::string_view arguments) {
  const auto end = arguments.rfind('>');
  if (end == arguments.npos) return base::fail(fmt::format("{} has no >", kSection));
  auto* section = pool_new<InterpreterSection>(cmd->pool);
  section->place = place_of(cmd);
  Words words(cmd, pool_c_string(cmd->pool, arguments.substr(0, end)));
  while (!words.at_end()) {
    PH_TRY(option, next_selector(words));
    PH_TRY_VOID(select(*section, option.first, option.second));
  }
  return section;
}

std::size_t specificity(const InterpreterSection* section) {
  return std::size_t(section->process_group.has_value()) +
         std::size_t(section->application_group.has_value());
}

gateway::InterpreterOptions options_of(const InterpreterSection& section) {
  const settings::ProcessSettings& given = section.settings;
  gateway::InterpreterOptions options{.restrict_stdin = given.restrict_stdin,
                                      .restrict_stdout = given.restrict_stdout,
                                      .restrict_signal = given.restrict_signal,
                                      .own_lock = given.per_interpreter_gil};
  if (section.application_group) options.application_group = *section.application_group;
  if (const auto& path = given.python_path) options.python_path = {path->begin(), path->end()};
  // The lock that it is about belongs to all interpreters of a process.
  if (given.switch_interval && !section.application_group) {
    options.switch_interval_seconds = given.switch_interval->count();
  }
  return options;
}

}  // namespace

const char* add_interpreter_section(cmd_parms* cmd, void*, const char* arguments) {
  if (const char* error = ap_check_cmd_context(cmd, GLOBAL_ONLY)) return error;
  if (section_around(cmd) != nullptr) {
    return apr_psprintf(cmd->pool, "%s> cannot stand in another one", kSection.data());
  }
  const auto section = read_section(cmd, arguments);
  if (!section) return as_httpd_error(cmd, section.error());
  cmd->directive->data = *section;
  server_config(cmd->server).interpreters.push_back(*section);
  return ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
}

// Other modules keep data of their own at their sections.
InterpreterSection* section_around(const cmd_parms* cmd) {
  for (const auto* outer = cmd->directive->parent; outer != nullptr; outer = outer->parent) {
    if (base::equals_ignoring_case(outer->directive, kSection)) {
      return static_cast<InterpreterSection*>(outer->data);
    }
  }
  return nullptr;
}

std::vector<gateway::InterpreterOptions> interpreter_options(std::string_view process_group) {
  std::vector<const InterpreterSection*> sections;
  for (const InterpreterSection* section : server_config(ap_server_conf).interpreters) {
    if (section->process_group.value_or(process_group) == process_group) {
      sections.push_back(section);
    }
  }
  std::ranges::stable_sort(sections, {}, specificity);
  std::vector<gateway::InterpreterOptions> options;
  for (const InterpreterSection* section : sections) options.push_back(options_of(*section));
  return options;
}

std::string show(const InterpreterSection& section) {
  std::string text(kSection);
  const auto show_selector = [&](const char* key, const std::optional<std::string_view>& name) {
    if (!name) return;
    text += fmt::format(" {}={}", key, name->empty() ? settings::kGlobalName : *name);
  };
  show_selector("process-group", section.process_group);
  show_selector("application-group", section.application_group);
  return fmt::format("{}>\n{}</{}>\n", text, settings::show(section.settings), kSection.substr(1));
}

}  // namespace pyhost::apache

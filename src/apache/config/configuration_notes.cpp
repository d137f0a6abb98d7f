#include "apache/config/configuration_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "apache/config/config.h"
#include "apache/config/configuration_lines.h"
#include "apache/config/process_groups.h"
#include "apache/pool.h"
#include "base/locale_coercion.h"
#include "base/parse.h"
#include "launch/credentials.h"
#include "plugin/plugin_loader.h"
#include "plugin/python_variables.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

using base::Message;

void note_inert_lines(const server_rec* s, Findings& findings) {
  for (const InertLine& line : server_config(s).inert) {
    const auto& inert = std::get<settings::Inert>(line.directive->meaning);
    findings.add(s, Severity::advice, inert.message,
                 {fmt::format("{} has no effect: {}", line.directive->name, inert.why)},
                 line.place);
  }
}

void note_switch_intervals(const server_rec* main_server, Findings& findings) {
  for (const InterpreterSection* section : server_config(main_server).interpreters) {
    if (!section->settings.switch_interval || !section->application_group) continue;
    findings.add(main_server, Severity::warning, Message::switch_interval_of_process,
                 {"WSGISwitchInterval in <WSGIInterpreterOptions application-group=...> has no "
                  "effect: the interpreters of a process share one lock"},
                 section->place);
  }
}

// What those plugins that there are can do; which one a group gets is known when its files were
// looked at with the rights of its user.
void note_shared_locks(const server_rec* main_server, Findings& findings) {
  const auto plugins = plugin::find_plugins(plugin::folder_of_this_object());
  if (plugins.empty() || std::ranges::any_of(plugins, plugin::has_own_locks)) return;
  const auto add = [&](const server_rec* s, std::string_view what, const char* place) {
    findings.add(
        s, Severity::advice, Message::interpreter_lock_shared,
        {fmt::format("{} has no effect: the interpreters of a process share one lock up to "
                     "CPython 3.11, and here is {}; processes= of WSGIDaemonProcess gives "
                     "applications locks of their own",
                     what, plugins.front().python_version)},
        place);
  };
  constexpr std::string_view kDirective = "WSGIPerInterpreterGIL";
  for (const ConfigurationLine& line : configuration_lines()) {
    if (!line.is(kDirective) || base::parse_flag(line.words.front()) != true) continue;
    add(main_server, kDirective, pool_c_string(main_server->process->pconf, line.place));
  }
  for (const DaemonGroup* group : all_process_groups()) {
    if (!group->options.per_interpreter_gil.value_or(false)) continue;
    add(group->server,
        fmt::format("WSGIDaemonProcess {}: per-interpreter-gil=", group->options.name),
        group->place);
  }
}

// Virtual hosts share the aliases of the main server, which comes first and is heard once.
void note_inert_aliases(const server_rec* s, Findings& findings) {
  for (const ScriptAlias* alias : server_config(s).aliases) {
    if (alias->regex != nullptr || alias->path.starts_with('/')) continue;
    findings.add(s, Severity::warning, Message::directive_inert,
                 {fmt::format("{} has no effect: no URL path begins without '/'", alias->written)},
                 alias->place);
  }
}

void note_inert_options(const DaemonGroup& group, Findings& findings) {
  for (const auto& option : settings::process_group_options()) {
    if (option.inert == nullptr || !is_given(group.options, option)) continue;
    findings.add(group.server, Severity::advice, Message::directive_inert,
                 {fmt::format("WSGIDaemonProcess {}: {}= has no effect: {}", group.options.name,
                              option.key, option.inert)},
                 group.place);
  }
}

// What the workers of a group have to do without.
void warn_of_group(const DaemonGroup& group, Findings& findings) {
  const auto& options = group.options;
  const auto without_root = launch::options_for_root(options);
  if (!without_root.empty()) {
    findings.add(
        group.server, Severity::warning, Message::identity_ignored,
        {fmt::format("WSGIDaemonProcess {}: only root can give {} effect; started by user id {}, "
                     "httpd runs its workers as that",
                     options.name, fmt::join(without_root, ", "), geteuid())},
        group.place);
  }
  // What a jail has is its own affair.
  if (!options.locale.empty() && options.chroot.empty() &&
      !base::is_installed_locale(options.locale)) {
    findings.add(
        group.server, Severity::warning, Message::locale_unknown,
        {fmt::format("WSGIDaemonProcess {}: locale={}: there is no such locale on this system, so "
                     "its workers run as in the locale C; `locale -a` lists what there is",
                     options.name, options.locale)},
        group.place);
  }
}

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

}  // namespace

void note_what_is_inert(const server_rec* main_server, Findings& findings) {
  note_switch_intervals(main_server, findings);
  note_shared_locks(main_server, findings);
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    note_inert_lines(s, findings);
    note_inert_aliases(s, findings);
  }
  for (const DaemonGroup* group : all_process_groups()) {
    note_inert_options(*group, findings);
    warn_of_group(*group, findings);
  }
}

void note_python_variables(const server_rec* main_server, Findings& findings) {
  using plugin::VariableOf;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const auto notice = plugin::notice_of_python_variable(name_of(*entry), VariableOf::httpd);
    if (notice.empty()) continue;
    findings.add(main_server, Severity::advice, Message::directive_inert,
                 {fmt::format("the environment of httpd: {}", notice)}, nullptr);
  }
  for (const DaemonGroup* group : all_process_groups()) {
    for (const std::string& assignment : group->options.env) {
      const auto notice =
          plugin::notice_of_python_variable(name_of(assignment), VariableOf::process_group);
      if (notice.empty()) continue;
      findings.add(group->server, Severity::advice, Message::directive_inert,
                   {fmt::format("WSGIDaemonProcess {}: env={}", group->options.name, notice)},
                   group->place);
    }
  }
}

}  // namespace pyhost::apache

#include "apache/config/startup.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <set>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "apache/config/preloads.h"
#include "apache/config/process_groups.h"
#include "apache/config/start_check.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/run_state.h"
#include "base/locale_coercion.h"
#include "base/thread.h"
#include "launch/credentials.h"
#include "plugin/python_variables.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;

// What threads get when ThreadStackSize is not set.
std::size_t default_stack_bytes() {
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return known ? static_cast<std::size_t>(limit.rlim_cur) : 0;
}

void raise_stack_size(const server_rec* s) {
  const std::size_t bytes = ap_thread_stacksize != 0 ? ap_thread_stacksize : default_stack_bytes();
  if (bytes >= base::kPythonStackBytes) return;
  ap_thread_stacksize = base::kPythonStackBytes;
  log_server(s, LogLevel::info, Message::stack_raised,
             fmt::format("Python needs threads with a stack of {} bytes, not {}: raised",
                         base::kPythonStackBytes, bytes));
}

// "virtual host shop.example (/etc/apache2/sites-enabled/shop.conf:1)"
std::string title_of(const server_rec* s) {
  const char* name = s->server_hostname == nullptr ? "without a name" : s->server_hostname;
  if (!s->is_virtual) return fmt::format("main server {}", name);
  return fmt::format("virtual host {} ({}:{})", name, s->defn_name, s->defn_line_number);
}

std::string dump_server(const server_rec* s) {
  const ServerConfig& config = server_config(s);
  std::string text = title_of(s) + "\n";
  text += settings::show(config.request);
  for (const DaemonGroup* group : config.groups) {
    if (group->server != s) continue;
    text += fmt::format("WSGIDaemonProcess {}", group->options.name);
    for (const auto& [key, value] : given_options(group->options)) {
      text += fmt::format(" {}={}", key, value);
    }
    text += '\n';
  }
  for (const ScriptAlias* alias : config.aliases) text += fmt::format("{}\n", alias->written);
  return text + "\n";
}

void note(const server_rec* s, LogLevel level, Message message, std::string text,
          const char* place) {
  log_server(s, level, message, with_place(std::move(text), place));
}

void note_inert_lines(const server_rec* s) {
  for (const InertLine& line : server_config(s).inert) {
    note(s, LogLevel::notice, Message::directive_inert,
         fmt::format("{} has no effect: {}", line.directive->name,
                     std::get<settings::Inert>(line.directive->meaning).why),
         line.place);
  }
}

// Virtual hosts share the aliases of the main server, which comes first.
void note_inert_aliases(const server_rec* s, std::set<const ScriptAlias*>& noted) {
  for (const ScriptAlias* alias : server_config(s).aliases) {
    if (alias->regex != nullptr || alias->path.starts_with('/')) continue;
    if (!noted.insert(alias).second) continue;
    note(s, LogLevel::warn, Message::directive_inert,
         fmt::format("{} has no effect: no URL path begins without '/'", alias->written),
         alias->place);
  }
}

void note_inert_options(const DaemonGroup& group) {
  for (const auto& option : settings::process_group_options()) {
    if (option.inert == nullptr || !is_given(group.options, option)) continue;
    note(group.server, LogLevel::notice, Message::directive_inert,
         fmt::format("WSGIDaemonProcess {}: {}= has no effect: {}", group.options.name, option.key,
                     option.inert),
         group.place);
  }
}

// What the workers of a group have to do without.
void warn_of_group(const DaemonGroup& group) {
  const auto& options = group.options;
  const auto without_root = launch::options_for_root(options);
  if (!without_root.empty()) {
    note(group.server, LogLevel::warn, Message::identity_ignored,
         fmt::format("WSGIDaemonProcess {}: only root can give {} effect; started by user id {}, "
                     "httpd runs its workers as that",
                     options.name, fmt::join(without_root, ", "), geteuid()),
         group.place);
  }
  // What a jail has is its own affair.
  if (!options.locale.empty() && options.chroot.empty() &&
      !base::is_installed_locale(options.locale)) {
    note(group.server, LogLevel::warn, Message::locale_unknown,
         fmt::format("WSGIDaemonProcess {}: locale={}: there is no such locale on this system, so "
                     "its workers run as in the locale C; `locale -a` lists what there is",
                     options.name, options.locale),
         group.place);
  }
}

// In httpd's first record, and in the Server header where ServerTokens says so.
void name_version(apr_pool_t* pconf) {
  ap_add_version_component(pconf, "mod_pyhost/" PYHOST_VERSION);
  if (const auto plugin = find_plugin()) {
    ap_add_version_component(
        pconf, pool_c_string(pconf, fmt::format("Python/{}", plugin->python_version)));
  }
}

base::Result<> check(server_rec* main_server) {
  PH_TRY_VOID(check_process_groups(main_server));
  std::set<const ScriptAlias*> noted;
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    expand_preloads(s);
    note_inert_lines(s);
    note_inert_aliases(s, noted);
  }
  for (const DaemonGroup* group : all_process_groups()) {
    note_inert_options(*group);
    warn_of_group(*group);
  }
  // In a restart the supervisor finds that out: here, a mistake would end httpd.
  if (!is_only_a_check()) return {};
  return check_starts().map_error(
      [](const base::Error& error) { return base::Error{with_places(error.sentence)}; });
}

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

// Python is isolated from them, which whoever sets them may not expect.
void note_python_variables(const server_rec* main_server) {
  using plugin::VariableOf;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const auto notice = plugin::notice_of_python_variable(name_of(*entry), VariableOf::httpd);
    if (notice.empty()) continue;
    log_server(main_server, LogLevel::notice, Message::directive_inert,
               fmt::format("the environment of httpd: {}", notice));
  }
  for (const DaemonGroup* group : all_process_groups()) {
    for (const std::string& assignment : group->options.env) {
      const auto notice =
          plugin::notice_of_python_variable(name_of(assignment), VariableOf::process_group);
      if (notice.empty()) continue;
      note(group->server, LogLevel::notice, Message::directive_inert,
           fmt::format("WSGIDaemonProcess {}: env={}", group->options.name, notice), group->place);
    }
  }
}

}  // namespace

int check_configuration(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) {
  complete_settings(s);
  const auto checked = check(s);
  if (checked) return OK;
  log_server(s, LogLevel::emerg, Message::configuration_refused, checked.error().sentence);
  return HTTP_INTERNAL_SERVER_ERROR;
}

void dump_configuration(apr_pool_t* pool, server_rec* s) {
  if (!ap_exists_config_define("DUMP_PYHOST")) return;
  std::string text = settings::show(server_config(s).process) + "\n";
  for (; s != nullptr; s = s->next) text += dump_server(s);
  apr_file_t* out = nullptr;
  if (apr_file_open_stdout(&out, pool) == APR_SUCCESS) apr_file_puts(text.c_str(), out);
}

int prepare_children(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) {
  if (is_only_a_check()) return OK;
  name_version(pconf);
  note_python_variables(s);
  if (*process_settings().restrict_embedded) return OK;
  raise_stack_size(s);
  if (const auto plugin = find_plugin(); !plugin) {
    log_server(s, LogLevel::warn, Message::plugin_missing, plugin.error().sentence);
  }
  return OK;
}

}  // namespace pyhost::apache

#include "apache/config/configuration_dump.h"

#include <fmt/format.h>

#include <string>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

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
  for (const HookScript* hook : config.hook_lines) {
    text += with_place(hook->written, hook->place) + "\n";
  }
  for (const HandlerScript* handler : config.handlers)
    text += fmt::format("{}\n", handler->written);
  for (const ScriptAlias* alias : config.aliases) text += fmt::format("{}\n", alias->written);
  return text + "\n";
}

}  // namespace

void dump_configuration(apr_pool_t* pool, server_rec* s) {
  if (!ap_exists_config_define("DUMP_PYHOST")) return;
  std::string text = settings::show(server_config(s).process);
  for (const InterpreterSection* section : server_config(s).interpreters) text += show(*section);
  text += '\n';
  for (; s != nullptr; s = s->next) text += dump_server(s);
  apr_file_t* out = nullptr;
  if (apr_file_open_stdout(&out, pool) == APR_SUCCESS) apr_file_puts(text.c_str(), out);
}

}  // namespace pyhost::apache

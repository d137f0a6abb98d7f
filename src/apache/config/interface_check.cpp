#include "apache/config/interface_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "apache/config/config.h"
#include "apache/config/group_routes.h"
#include "settings/global_name.h"

namespace pyhost::apache {
namespace {

bool is_embedded(std::optional<std::string_view> process_group) noexcept {
  return process_group.value_or(settings::kGlobalName) == settings::kGlobalName;
}

// As far as the configuration tells without a request.
bool is_embedded(const server_rec* s, const ScriptAlias& alias) {
  if (alias.settings.process_group) return is_embedded(alias.settings.process_group);
  return std::ranges::all_of(group_sources(s, alias), [s](GroupSource source) {
    return is_embedded(source == nullptr ? server_config(s).request.process_group
                                         : source->request.process_group);
  });
}

}  // namespace

void check_interfaces(const server_rec* main_server, Findings& findings) {
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    for (const ScriptAlias* alias : server_config(s).aliases) {
      const auto interface = alias->settings.interface;
      if (!interface || !needs_loop(*interface) || !is_embedded(s, *alias)) continue;
      findings.refuse(
          s,
          {.sentence = fmt::format("{}: ASGI applications run in process groups only, and this one "
                                   "is in none",
                                   alias->written),
           .cure = "WSGIDaemonProcess web, and process-group=web behind the alias"},
          alias->place);
    }
  }
}

}  // namespace pyhost::apache

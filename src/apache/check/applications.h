// The applications of a configuration, as far as it tells them without a request.
#pragma once

#include <string>
#include <vector>

#include "apache/config/config.h"

namespace pyhost::apache {

// What an alias leads to.
struct Application {
  const server_rec* server = nullptr;
  const ScriptAlias* alias = nullptr;
  std::string_view group_name;         // "" is httpd's children
  const DaemonGroup* group = nullptr;  // of that name
  // Of the alias, the section that names the group, and the server.
  settings::RequestSettings settings;

  bool is_embedded() const noexcept { return group_name.empty(); }
  // Whether only a request tells the group.
  bool depends_on_request() const noexcept { return group_name.starts_with("%{"); }
};

// Of all aliases that a request can come to.
std::vector<Application> applications_of(const server_rec* main_server);

// As whom the workers of a group run, or httpd's children (null): a name, or "#1001". "" when that
// cannot be told.
std::string user_of(const DaemonGroup* group);

// "shop.example:443"; without a port when it has all.
std::string name_of(const server_rec* s);
// Where the <VirtualHost> stands; "" for the main server.
std::string place_of(const server_rec* s);
// As configured: "/srv/shop.wsgi", "package.module:callable".
std::string target_of(const ScriptAlias& alias);
// The URL path, or the regular expression for it.
std::string url_of(const ScriptAlias& alias);
// Whether the alias names one script, and no folder of scripts or a part of the URL in its path.
bool names_one_script(const ScriptAlias& alias);

}  // namespace pyhost::apache

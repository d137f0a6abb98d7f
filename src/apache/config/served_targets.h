// Which applications each process group serves, as far as the configuration tells.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apache/config/config.h"
#include "apache/config/daemon_group.h"
#include "control/worker_settings.h"

namespace pyhost::apache {

struct GroupService {
  // All that requests can lead to the group: script aliases, and for the handler what URLs can be
  // mapped to otherwise, see mapped_paths.h; and hook scripts.
  control::ServedTargets targets;
  // The group's one application; "" when there are several, or none can be named.
  std::string only_script;
};

// Reads the configuration once for all groups, of which there may be as many as virtual hosts.
class GroupServices {
 public:
  // A server, and what names groups in it.
  struct Host {
    const server_rec* server;
    std::vector<const DirectoryConfig*> sections{};
    bool dispatched = false;  // by a script, which may name any group
    bool by_variable = false;
    std::set<std::string_view> names{};
  };

  explicit GroupServices(const server_rec* main_server);

  GroupService of(const DaemonGroup& group) const;

 private:
  const server_rec* main_server_;
  std::vector<Host> hosts_;
};

}  // namespace pyhost::apache

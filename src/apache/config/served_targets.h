// Which applications each process group serves, as far as the configuration tells.
#pragma once

#include <string>

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

GroupService service_of(const server_rec* main_server, const DaemonGroup& group);

}  // namespace pyhost::apache

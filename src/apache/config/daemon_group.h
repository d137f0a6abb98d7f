// A process group as the configuration defines it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "apache/httpd_api.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/script_owner.h"
#include "settings/process_group.h"

namespace pyhost::apache {

// One WSGIDaemonProcess.
struct DaemonGroup {
  settings::ProcessGroup options;
  const server_rec* server = nullptr;  // where it is defined
  const char* place = nullptr;         // the same, see places.h
  // Where it is defined once more, with the same options.
  std::vector<const server_rec*> repeated_in;

  // For good once the configuration has been read.
  // The script or module that runs in the main interpreter when no application group is named,
  // because the group serves nothing else; "" when it serves several.
  std::string only_script;
  // script-user= and script-group=.
  gateway::ScriptOwner script_owner;
  // Where the group's workers are found; set before there are children.
  std::uint32_t number = 0;  // among all groups of the configuration
  std::uint32_t index = 0;   // in the paths of its sockets
  uid_t worker_uid = 0;
  gateway::GroupSecret secret;
};

}  // namespace pyhost::apache

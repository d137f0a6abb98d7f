// The process groups of the configuration: how they are defined, and who may use them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apache/check/findings.h"
#include "apache/config/daemon_group.h"

namespace pyhost::apache {

// WSGIDaemonProcess.
const char* add_daemon_process(cmd_parms* cmd, void* directory, const char* arguments);

// Those of all servers, in the order of the configuration. PRECONDITION of this and the next:
// check_process_groups() has run.
const std::vector<DaemonGroup*>& all_process_groups();

// nullptr when there is none of that name.
const DaemonGroup* find_process_group(std::string_view name);

// "there is no process group 'shpo' (the nearest name is 'shop'); define it with ...".
std::string describe_unknown_group(std::string_view name);

// Whether requests for a server may run in the group: it is defined in that server, in one of the
// same ServerName, or in the main server; the same definition may stand in several servers.
bool may_use(const server_rec* s, const DaemonGroup& group);

// What no single directive can tell: definitions that contradict each other, users that do not
// exist, scripts for groups that do not exist.
void check_process_groups(server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache

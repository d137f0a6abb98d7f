// What the workers of a process group are told, from the configuration.
#pragma once

#include <chrono>
#include <string>

#include "apache/config/daemon_group.h"
#include "apache/config/served_targets.h"
#include "control/worker_settings.h"
#include "launch/credentials.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

// The User and Group of the configuration, or who we are when that is not root.
control::HttpdIdentity httpd_identity();

// PRECONDITION: the defaults are filled in. The plugin is the newest one, and there is no Python
// home: what python-home= means is found out by a process that has the rights of the group's user.
control::WorkerSettings worker_settings(const server_rec* main_server, const DaemonGroup& group,
                                        const GroupService& service);

// How long one end of a worker connection waits for the other: socket-timeout=, or the Timeout of
// the server that the group is defined in.
std::chrono::milliseconds socket_timeout_of(const DaemonGroup& group);

}  // namespace pyhost::apache

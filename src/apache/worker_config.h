// What the workers of a process group are told, from the configuration.
#pragma once

#include <chrono>
#include <string>

#include "apache/config.h"
#include "apache/served_targets.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/plugin_loader.h"
#include "pyhost/gateway/python_home.h"
#include "pyhost/gateway/worker_settings.h"
#include "supervisor/credentials.h"

namespace pyhost::apache {

// The User and Group of the configuration, or who we are when that is not root.
supervisor::HttpdIdentity httpd_identity();

struct GroupPython {
  gateway::PluginFile plugin;
  gateway::PythonHome home;
};

// The plugin that fits the group's python-home=, and how Python is started for it. Fails with a
// sentence that names the group.
base::Result<GroupPython> python_of(const DaemonGroup& group);

// PRECONDITION: the defaults are filled in.
gateway::WorkerSettings worker_settings(const server_rec* main_server, const DaemonGroup& group,
                                        const GroupPython& python, const GroupService& service);

// How long one end of a worker connection waits for the other: socket-timeout=, or the Timeout of
// the server that the group is defined in.
std::chrono::milliseconds socket_timeout_of(const DaemonGroup& group);

}  // namespace pyhost::apache

// The directives that name hook scripts.
#pragma once

#include <string>
#include <vector>

#include "apache/check/findings.h"
#include "apache/config/daemon_group.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/target.h"

namespace pyhost::apache {

// WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript, WSGICheckAuthn, WSGIDispatchScript.
const char* add_hook_script(cmd_parms* cmd, void* directory, const char* arguments);

// What no single directive can tell: process groups that do not exist or take no requests, scripts
// outside of their jails, and those of httpd's own processes where these run no Python.
// PRECONDITION: complete_settings() has run, and the process groups are known.
void check_hook_scripts(const server_rec* main_server, Findings& findings);

// The hook scripts that the configuration has for a group, as its workers see them: to be imported
// before there are requests where the name of the interpreter is known, and what questions may be
// about.
struct GroupHooks {
  std::vector<gateway::Script> preloads;
  std::vector<std::string> scripts;
};
GroupHooks hooks_of(const server_rec* main_server, const DaemonGroup& group);

}  // namespace pyhost::apache

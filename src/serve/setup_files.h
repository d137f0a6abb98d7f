// The files that stand beside a httpd.conf which is kept.
#pragma once

#include <string>

#include "serve/serve_options.h"
#include "serve/server_plan.h"

namespace pyhost::serve {

// A shell script that starts and stops the server: start, stop, restart, graceful, graceful-stop,
// configtest, foreground, status and reload. `pyhost` is the path of this program. Pure.
std::string control_script(const ServeOptions& options, const ServerPlan& plan,
                           const std::string& pyhost);

// A unit of systemd for it; `user` is who starts it, "" for root. Pure.
std::string systemd_unit(const ServeOptions& options, const ServerPlan& plan,
                         const std::string& user);

inline constexpr char kControlScript[] = "pyhostctl";
inline constexpr char kSystemdUnit[] = "pyhost.service";

}  // namespace pyhost::serve

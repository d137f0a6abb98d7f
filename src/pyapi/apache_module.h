// The Python module `apache`.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"

namespace pyhost::pyapi {

// Puts the module into sys.modules of the interpreter:
//   version               (major, minor, micro) of the httpd that the module is built for
//   description           httpd's name for itself: "Apache/2.4.62 (Debian)"
//   build_date            when httpd was built
//   mpm_name              "event", "worker", "prefork"
//   maximum_processes, threads_per_process    httpd's own, wherever Python runs
// In httpd's own processes a module of this name that can be imported has these added to it
// instead.
base::Result<> install_apache_module(python::Attached& py, const gateway::EngineSettings& settings);

}  // namespace pyhost::pyapi

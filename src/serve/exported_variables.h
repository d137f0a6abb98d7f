// What a shell script adds to the environment.
#pragma once

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

// Runs the script of --envvars-script with a shell, and puts what it exports into the environment
// of this process, from where httpd, its workers and the trial have it. Fails when the script does.
base::Result<> take_exported_variables(const ServeOptions& options);

}  // namespace pyhost::serve

// What no single option can tell.
#pragma once

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

// Options that exclude or need each other, and files and folders that they name. Fails with a
// sentence that names the option, as it was given.
base::Result<> check_options(const ServeOptions& options);

}  // namespace pyhost::serve

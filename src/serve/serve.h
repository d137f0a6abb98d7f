// `pyhost serve`: a whole httpd in the foreground.
#pragma once

#include "serve/serve_options.h"

namespace pyhost::serve {

// Checks everything that can be checked, starts httpd and stays until it ends or is stopped.
// Returns the exit code: 0 after a stop by Ctrl-C or a signal, 1 after an error, which was reported
// on stderr.
int serve(ServeOptions options);

}  // namespace pyhost::serve

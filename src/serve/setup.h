// `pyhost setup`: a server as files, for an administrator to keep.
#pragma once

#include <string>

#include "serve/serve_options.h"

namespace pyhost::serve {

struct SetupOptions {
  std::string folder;
  ServeOptions serve;
};

// Writes httpd.conf, pyhostctl and a systemd unit into the folder, after a trial of the
// application. Returns the exit code: 0, or 1 after an error, which was reported on stderr.
int set_up(SetupOptions options);

}  // namespace pyhost::serve

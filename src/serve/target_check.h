// Imports the application once before httpd starts.
#pragma once

#include <optional>
#include <string>

#include "serve/httpd_user.h"
#include "serve/serve_options.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {

enum class Verdict {
  good,
  bad,          // the reason is on stderr, with the script's traceback
  interrupted,  // somebody asked to stop
};

struct CheckSettings {
  std::string application_group;
  int threads = 1;
  std::optional<HttpdUser> user;  // who will serve the site
  std::string plugin_folder;
};

// In a process of its own, as the user who will serve: looks whether all folders and files of the
// site can be read, and imports the application as httpd's child will. Waits as long as the
// import takes, or until `signals` ask to stop.
Verdict check_target(const Site& site, const CheckSettings& settings, StopSignals& signals);

}  // namespace pyhost::serve

// Imports the application once before httpd starts.
#pragma once

#include <optional>
#include <string>

#include "pyhost/base/result.h"
#include "serve/httpd_user.h"
#include "serve/site.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {

// What was found out by that.
struct TrialReport {
  std::string callable;        // the one that the application has
  std::string python_version;  // "3.11"
  bool home_is_open = false;   // the working directory can be entered
  bool is_asgi = false;        // the application wants an event loop
};

struct TrialSettings {
  std::string home;               // the working directory
  std::optional<HttpdUser> user;  // who will serve the site
  std::string plugin_folder;
};

// What it has come to: a report; nothing when somebody asked to stop; or a failure, whose reasons
// are on stderr already when its sentence is empty.
using TrialOutcome = base::Result<std::optional<TrialReport>>;

// In a process of its own, as the user who will serve: looks whether all folders and files of the
// site can be read, and imports the application as a worker will. Of a site without a callable the
// usual names are tried. Waits as long as the import takes, or until `signals` ask to stop.
TrialOutcome try_application(const Site& site, const ServeOptions& options,
                             const TrialSettings& settings, StopSignals& signals);

}  // namespace pyhost::serve

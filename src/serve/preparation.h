// All that is found out before a httpd is started or written down.
#pragma once

#include <optional>
#include <string>

#include "pyhost/base/result.h"
#include "serve/listening_sockets.h"
#include "serve/server_plan.h"
#include "serve/stop_signals.h"
#include "serve/trial.h"

namespace pyhost::serve {

struct Preparation {
  Site site;
  ServerPlan plan;  // without a server root and a certificate of one's own
  std::optional<HttpdUser> user;
  std::string python_version;  // "" without Python
};

enum class Thoroughness {
  everything,      // ports, and the application itself
  application,     // that alone
  what_is_needed,  // to write a configuration: the application only when its callable is unknown
};

// Fails with a sentence, or with none when it was said already; nothing when somebody asked to
// stop. `sockets` has what a service manager has opened.
base::Result<std::optional<Preparation>> prepare(const ServeOptions& options,
                                                 Thoroughness thoroughness,
                                                 const ListeningSockets& sockets,
                                                 StopSignals& signals);

// The names of the server in a certificate.
std::vector<std::string> hosts_of(const ServeOptions& options, const ServerPlan& plan);

}  // namespace pyhost::serve

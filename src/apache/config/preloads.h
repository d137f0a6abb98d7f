// The scripts that are imported before there are requests.
#pragma once

#include <string_view>
#include <vector>

#include "apache/check/findings.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/target.h"

namespace pyhost::apache {

// Puts names in the place of %{SERVER}, %{HOST} and %{RESOURCE} in what WSGIImportScript has as
// application-group=: those that requests for the server will have, so that there may be several
// imports of one line. Notes the lines for which no name is known. PRECONDITION:
// complete_settings() has run.
void expand_preloads(server_rec* s, Findings& findings);

// What processes of that group import; "" is httpd's children. From this server on.
std::vector<gateway::Script> preloads_of(const server_rec* s, std::string_view group);

}  // namespace pyhost::apache

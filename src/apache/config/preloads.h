// The scripts that are imported before there are requests.
#pragma once

#include "apache/config/config.h"

namespace pyhost::apache {

// Puts names in the place of %{SERVER}, %{HOST} and %{RESOURCE} in what WSGIImportScript has as
// application-group=: those that requests for the server will have, so that there may be several
// imports of one line. Notes the lines for which no name is known. PRECONDITION:
// complete_settings() has run.
void expand_preloads(server_rec* s);

}  // namespace pyhost::apache

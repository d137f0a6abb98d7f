// What a script has told of a request, put where httpd's logs and headers find it.
#pragma once

#include <span>

#include "apache/httpd_api.h"
#include "pyhost/gateway/annotation.h"

namespace pyhost::apache {

// User, notes and variables of the request; of a subrequest, the user is also that of the page that
// it is a part of, if that has none. PRECONDITION: they were checked.
void annotate(request_rec* r, std::span<const gateway::Annotation> annotations);

}  // namespace pyhost::apache

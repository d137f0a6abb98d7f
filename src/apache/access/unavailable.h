// Questions that could not be asked: 503 where httpd's own modules know no other error than 500.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/outcome.h"

namespace pyhost::apache {

// Sets Retry-After if that says so, and gives the status to answer with.
int status_of_refusal(request_rec* r, const gateway::Outcome& refusal);

// A provider could not ask: it has no way to say so but a general error. Keeps it for
// with_unavailability().
void note_unavailability(request_rec* r, const gateway::Outcome& refusal);

// In a hook that stands before all others: runs that hook once more, for the others, and gives what
// they say; but 503, with Retry-After, when they refuse and a question could not be asked
// meanwhile. In that second run it declines.
int with_unavailability(request_rec* r, int (*run_hook)(request_rec*));

}  // namespace pyhost::apache

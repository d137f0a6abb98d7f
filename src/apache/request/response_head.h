// The application's status and headers, put where httpd looks for them.
#pragma once

#include <span>

#include "apache/httpd_api.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::apache {

// Copies everything into the request. Date and Server stay httpd's; without a Content-Type there
// is none.
void set_response_head(request_rec* r, const gateway::ResponseHead& head);

// Sends a reply with status 103 and these headers, copied, in front of the reply itself. Clients of
// HTTP/1.0 get none; what of HTTP/2 becomes is up to H2EarlyHints.
void send_early_hints(request_rec* r, std::span<const gateway::Header> headers);

// Has httpd send them, copied, with the end of a reply over HTTP/2. Over HTTP/1.1 it sends none.
void set_trailers(request_rec* r, std::span<const gateway::Header> trailers);

// As set_response_head(), for a reply with status 101, whose own headers come beside these. It is
// not sent yet.
void set_switching_head(request_rec* r, const gateway::ResponseHead& head);

// Keeps httpd from answering a request for a range itself, unless it is a GET for what is a file
// and the application has not said that it accepts no ranges. PRECONDITION: the part has the head.
void settle_ranges(request_rec* r, const gateway::ReplyPart& part);

// Copies WWW-Authenticate alone, for an error page of httpd's own.
void set_challenge(request_rec* r, const gateway::ResponseHead& head);

// The Location if it is a path of this server, or null.
const char* local_location(apr_pool_t* pool, const gateway::ResponseHead& head);

}  // namespace pyhost::apache

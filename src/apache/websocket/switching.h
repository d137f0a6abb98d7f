// A WebSocket's handshake, as httpd's side has it.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::apache {

// Whether the request asks for one. Subrequests never do.
gateway::WebSocketOffer web_socket_offer_of(const request_rec* r);

// Answers with status 101, the head's headers and the three of a handshake, and makes a stream of
// the client's connection: its filters are the only ones from here on, and it has no other use.
// PRECONDITION: the offer is valid. r->input_filters stay as they are: httpd discards what they
// still have when the request ends, and would wait for the client if they were the connection's.
void switch_to_web_socket(request_rec* r, const gateway::ResponseHead& head);

}  // namespace pyhost::apache

// The names that a request has in logs and traces.
#pragma once

#include <string_view>

#include "apache/httpd_api.h"
#include "settings/settings.h"

namespace pyhost::apache {

// Everything in it lives as long as the request.
struct RequestIdentity {
  std::string_view request_id;    // what %L of the log formats shows
  std::string_view trace_id;      // "" when the request belongs to no trace
  std::string_view span_id;       // of what the request is a part of; "" when that is not known
  std::string_view trace_parent;  // the header that the client sent, when it was replaced; or ""
};

// Of a request that is about to be run. With WSGITrace propagate its headers traceparent and
// tracestate are changed to those that the application is to see.
RequestIdentity identify(request_rec* r, const settings::RequestSettings& settings);

// What %L of the log formats shows for the request.
std::string_view request_id_of(const request_rec* r) noexcept;

// The id of the trace that the request belongs to; "" when it belongs to none.
std::string_view trace_id_of(const request_rec* r) noexcept;

// generate_log_id: the id of the trace that the request belongs to, that of a trusted proxy's
// X-Request-ID, or a random one, so that every module's log lines have it. Ids of connections are
// left to httpd.
int generate_trace_id(const conn_rec* c, const request_rec* r, const char** id);

// post_read_request: an id that was needed before the request's headers had been read.
int renew_early_id(request_rec* r);

}  // namespace pyhost::apache

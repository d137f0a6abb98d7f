#include "apache/access/unavailable.h"

#include <string_view>

#include "apache/pool.h"

namespace pyhost::apache {
namespace {

constexpr char kRunningNote[] = "mod_pyhost.asks-others";
constexpr char kUnavailableNote[] = "mod_pyhost.unavailable";

}  // namespace

int status_of_refusal(request_rec* r, const gateway::Outcome& refusal) {
  if (refusal.retry_after_seconds != 0) {
    apr_table_setn(r->err_headers_out, "Retry-After",
                   apr_itoa(r->pool, static_cast<int>(refusal.retry_after_seconds)));
  }
  return refusal.status;
}

void note_unavailability(request_rec* r, const gateway::Outcome& refusal) {
  if (refusal.status != HTTP_SERVICE_UNAVAILABLE) return;
  status_of_refusal(r, refusal);
  apr_table_setn(r->notes, kUnavailableNote, "");
}

int with_unavailability(request_rec* r, int (*run_hook)(request_rec*)) {
  if (apr_table_get(r->notes, kRunningNote) != nullptr) return DECLINED;
  apr_table_setn(r->notes, kRunningNote, "");
  apr_table_unset(r->notes, kUnavailableNote);
  const int status = run_hook(r);
  apr_table_unset(r->notes, kRunningNote);
  const bool unavailable = apr_table_get(r->notes, kUnavailableNote) != nullptr;
  apr_table_unset(r->notes, kUnavailableNote);
  if (status == OK || status == DONE || !unavailable) {
    if (unavailable) apr_table_unset(r->err_headers_out, "Retry-After");
    return status;
  }
  apr_table_unset(r->err_headers_out, "WWW-Authenticate");
  return HTTP_SERVICE_UNAVAILABLE;
}

}  // namespace pyhost::apache

#include "apache/request/request_identity.h"

#include <algorithm>

#include "apache/config/config.h"
#include "apache/pool.h"
#include "apache/request/random_id.h"
#include "apache/request/trace_context.h"

namespace pyhost::apache {
namespace {

using settings::Tracing;

constexpr char kTraceParent[] = "traceparent";
constexpr char kTraceState[] = "tracestate";
// As of a service that has begun a trace: who looks at it decides what is kept.
constexpr std::string_view kSampled = "01";

// Before sections are looked at, only the server's settings are known.
const settings::RequestSettings& settings_of(const server_rec* s) {
  return server_config(s).request;
}

bool is_trusted_proxy(const request_rec* r, const settings::RequestSettings& settings) {
  if (!settings.trusted_proxies) return false;
  const auto peer = base::parse_ip_address(view_or_empty(r->useragent_ip));
  return peer && settings.trusted_proxies->contains(*peer);
}

// What the request says of its trace, when that is believed.
std::optional<TraceParent> sent_parent(const request_rec* r,
                                       const settings::RequestSettings& settings) {
  const auto parent = parse_trace_parent(view_or_empty(apr_table_get(r->headers_in, kTraceParent)));
  const bool believed = settings.tracing == Tracing::log || is_trusted_proxy(r, settings);
  return believed ? parent : std::nullopt;
}

// X-Request-ID of a trusted proxy; "" without one that can stand in a log.
std::string_view sent_request_id(const request_rec* r, const settings::RequestSettings& settings) {
  constexpr std::size_t kBytesMax = 64;
  const auto id = view_or_empty(apr_table_get(r->headers_in, "X-Request-ID"));
  const bool printable = std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
  return id.size() <= kBytesMax && printable && is_trusted_proxy(r, settings) ? id : "";
}

const char* choose_id(const request_rec* r, const settings::RequestSettings& settings) {
  if (const auto parent = sent_parent(r, settings)) {
    return pool_copy(r->pool, parent->trace_id).data();
  }
  const auto sent = sent_request_id(r, settings);
  return pool_copy(r->pool, sent.empty() ? random_id(kTraceIdDigits) : sent).data();
}

bool is_trace_id(std::string_view id) {
  return id.size() == kTraceIdDigits && is_hex(id);
}

// The request becomes a part of a span of its own.
void begin_span(request_rec* r, const std::optional<TraceParent>& sent, RequestIdentity& identity) {
  identity.span_id = pool_copy(r->pool, random_id(kSpanIdDigits));
  identity.trace_parent = sent ? view_or_empty(apr_table_get(r->headers_in, kTraceParent)) : "";
  const std::string header = format_trace_parent({.trace_id = identity.trace_id,
                                                  .parent_id = identity.span_id,
                                                  .flags = sent ? sent->flags : kSampled});
  apr_table_setn(r->headers_in, kTraceParent, pool_copy(r->pool, header).data());
  if (!sent || !is_trace_state(view_or_empty(apr_table_get(r->headers_in, kTraceState)))) {
    apr_table_unset(r->headers_in, kTraceState);
  }
}

}  // namespace

RequestIdentity identify(request_rec* r, const settings::RequestSettings& settings) {
  RequestIdentity identity{.request_id = request_id_of(r)};
  if (settings.tracing == Tracing::off) return identity;
  const auto sent = sent_parent(r, settings);
  if (sent) {
    identity.trace_id = sent->trace_id;
    identity.span_id = sent->parent_id;
  } else if (is_trace_id(identity.request_id)) {
    identity.trace_id = identity.request_id;
  }
  if (settings.tracing == Tracing::propagate) {
    if (identity.trace_id.empty()) {
      identity.trace_id = pool_copy(r->pool, random_id(kTraceIdDigits));
    }
    begin_span(r, sent, identity);
  }
  return identity;
}

// httpd makes it when the first line is logged, in the same way.
std::string_view request_id_of(const request_rec* r) noexcept {
  while (r->main != nullptr) r = r->main;
  if (r->log_id == nullptr) {
    ap_run_generate_log_id(r->connection, r, &const_cast<request_rec*>(r)->log_id);
  }
  return view_or_empty(r->log_id);
}

std::string_view trace_id_of(const request_rec* r) noexcept {
  const auto& settings = settings_of(r->server);
  if (settings.tracing == Tracing::off) return {};
  if (const auto sent = sent_parent(r, settings)) return sent->trace_id;
  const auto id = view_or_empty(r->log_id);
  return is_trace_id(id) ? id : std::string_view();
}

int generate_trace_id(const conn_rec*, const request_rec* r, const char** id) {
  if (r == nullptr || settings_of(r->server).tracing == Tracing::off) return DECLINED;
  // A request that httpd has made of another one has the id of that.
  const request_rec* first = r;
  while (first->main != nullptr || first->prev != nullptr) {
    first = first->main != nullptr ? first->main : first->prev;
  }
  *id = first != r ? request_id_of(first).data() : choose_id(r, settings_of(r->server));
  return OK;
}

int renew_early_id(request_rec* r) {
  const auto& settings = settings_of(r->server);
  if (r->log_id != nullptr && settings.tracing != Tracing::off && r->main == nullptr &&
      r->prev == nullptr && sent_parent(r, settings)) {
    r->log_id = choose_id(r, settings);
  }
  return DECLINED;
}

}  // namespace pyhost::apache

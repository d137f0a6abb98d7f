#include "apache/status/status_access.h"

#include <fmt/format.h>

#include <string_view>

#include "apache/config/config.h"
#include "apache/log.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

bool is_loopback(apr_sockaddr_t* address) {
  char* text = nullptr;
  if (apr_sockaddr_ip_get(&text, address) != APR_SUCCESS) return false;
  const std::string_view ip = view_or_empty(text);
  return ip == "::1" || ip.starts_with("127.") || ip.starts_with("::ffff:127.");
}

// A proxy on this machine is no client of this machine.
bool came_through_proxy(const request_rec* r) {
  for (const char* header : {"X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"}) {
    if (apr_table_get(r->headers_in, header) != nullptr) return true;
  }
  return r->useragent_addr != r->connection->client_addr;  // mod_remoteip
}

// As with `Require local`: from the loopback, or from the address that it was sent to.
bool is_local(request_rec* r) {
  conn_rec* c = r->connection;
  const bool is_inet = c->client_addr != nullptr &&
                       (c->client_addr->family == APR_INET || c->client_addr->family == APR_INET6);
  if (!is_inet || came_through_proxy(r)) return false;
  if (is_loopback(c->client_addr)) return true;
  return c->local_addr != nullptr && apr_sockaddr_equal(c->local_addr, c->client_addr) != 0;
}

}  // namespace

bool may_see(request_rec* r) {
  const auto settings = settings::inherit(directory_config(r->per_dir_config).request,
                                          server_config(r->server).request);
  if (!settings.status_local_only.value_or(*settings::kRequestDefaults.status_local_only)) {
    return true;
  }
  if (is_local(r)) return true;
  log_request(r, base::LogLevel::info, base::Message::status_refused,
              fmt::format("{} is only for requests from this machine itself, which come through no "
                          "proxy; see WSGIStatusLocalOnly",
                          r->uri));
  return false;
}

int refusal_of(request_rec* r) {
  ap_allow_standard_methods(r, MERGE_ALLOW, M_GET, M_OPTIONS, -1);
  if (r->method_number == M_OPTIONS) return DECLINED;
  if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
  return may_see(r) ? OK : HTTP_FORBIDDEN;
}

void send_text(request_rec* r, const char* type, std::string_view text) {
  ap_set_content_type(r, pool_c_string(r->pool, type));
  ap_set_content_length(r, static_cast<apr_off_t>(text.size()));
  apr_table_setn(r->headers_out, "Cache-Control", "no-store");
  apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
  if (r->header_only == 0) ap_rwrite(text.data(), static_cast<int>(text.size()), r);
}

}  // namespace pyhost::apache

#include "apache/request/request_names.h"

#include <stdlib.h>

#include "apache/pool.h"

namespace pyhost::apache {

std::string_view script_name_of(const request_rec* r) {
  const std::string_view uri = view_or_empty(r->uri);
  const std::string_view path_info = view_or_empty(r->path_info);
  if (path_info.empty()) return uri;
  return uri.substr(0, static_cast<std::size_t>(ap_find_path_info(r->uri, r->path_info)));
}

std::string_view RequestNames::server_name() const {
  return view_or_empty(r_->server->server_hostname);
}

std::string_view RequestNames::host_name() const {
  // httpd compares aliases only if it is given the virtual host's very port.
  const bool ours =
      r_->hostname != nullptr && ap_matches_request_vhost(r_, r_->hostname, r_->server->port);
  return ours ? std::string_view(r_->hostname) : server_name();
}

unsigned RequestNames::port() const {
  return r_->server->port != 0 ? r_->server->port : r_->connection->local_addr->port;
}

std::optional<std::string_view> RequestNames::variable(std::string_view name) const {
  const char* key = pool_c_string(r_->pool, name);
  const char* value = apr_table_get(r_->notes, key);
  if (value == nullptr) value = apr_table_get(r_->subprocess_env, key);
  if (value == nullptr) value = getenv(key);
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
}

}  // namespace pyhost::apache

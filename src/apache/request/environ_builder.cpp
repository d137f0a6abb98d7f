#include "apache/request/environ_builder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "apache/config/config.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/request/jail.h"
#include "apache/request/request_identity.h"
#include "apache/request/request_origin.h"
#include "apache/request/withheld_authorization.h"
#include "apache/websocket/switching.h"
#include "base/parse.h"
#include "settings/settings.h"

namespace pyhost::apache {
namespace {

using gateway::EnvironEntry;
using gateway::EnvironKey;

const core_dir_config& core_config(const request_rec* r) {
  return *static_cast<core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
}

std::span<const apr_table_entry_t> entries_of(const apr_table_t* table) {
  const auto* elements = apr_table_elts(table);
  return {reinterpret_cast<const apr_table_entry_t*>(elements->elts),
          static_cast<std::size_t>(elements->nelts)};
}

// The target of the original request line, as the client wrote it.
std::string_view original_uri(const request_rec* r) {
  std::string_view line = view_or_empty(r->the_request);
  line.remove_prefix(std::min(line.find(' '), line.size()));
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line.substr(0, line.find(' '));
}

std::string_view request_uri(const request_rec* r) {
  const auto& core = core_config(r);
  if (core.cgi_var_rules != nullptr) {
    const auto* rule = apr_hash_get(core.cgi_var_rules, "REQUEST_URI", APR_HASH_KEY_STRING);
    if (view_or_empty(static_cast<const char*>(rule)) == "current-uri") return r->uri;
  }
  return original_uri(r);
}

std::string_view decimal(apr_pool_t* pool, int number) {
  const fmt::format_int text(number);
  return pool_copy(pool, {text.data(), text.size()});
}

// What stands for a character of a header's name in its key; '\0' if the header must not be seen:
// X_Forwarded_For must not become the same key as X-Forwarded-For.
constexpr char key_character(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - ('a' - 'A'));
  if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return c;
  return c == '-' ? '_' : '\0';
}

// httpd joins the lines of a header with ", ", but cookies are to be joined with "; " (RFC 9113,
// 8.2.3). No value of a cookie has a comma (RFC 6265, 4.1.1), but some that browsers send have, so
// only what looks like the next cookie is taken for one.
std::string_view joined_cookies(apr_pool_t* pool, const char* value) {
  char* copy = nullptr;
  for (const char* at = std::strstr(value, ", "); at != nullptr; at = std::strstr(at + 1, ", ")) {
    const char* name = at + 2;
    const char* end = ap_scan_http_token(name);
    if (end == name || *end != '=') continue;
    if (copy == nullptr) copy = apr_pstrdup(pool, value);
    copy[at - value] = ';';
  }
  return copy == nullptr ? value : copy;
}

bool passes_authorization(const request_rec* r, const settings::RequestSettings& settings) {
  using settings::PassAuthorization;
  const auto passes = *settings.pass_authorization;
  if (passes == PassAuthorization::automatic) return r->ap_auth_type == nullptr;
  return passes == PassAuthorization::on;
}

// Applications that check passwords themselves only see that nobody ever logs in.
void note_withheld_authorization(request_rec* r) {
  const bool used_by_httpd = r->ap_auth_type != nullptr;
  if (used_by_httpd || server_config(r->server).authorization_noted.exchange(true)) return;
  const auto [sentence, cure] = withheld_authorization(view_or_empty(r->uri));
  log_request(r, base::LogLevel::notice, base::Message::credentials_withheld,
              fmt::format("{}; {}", sentence, cure));
}

// The entries of one request: an array of a known size in its pool.
class Builder {
 public:
  Builder(request_rec* r, const EnvironInputs& inputs, std::optional<std::uint64_t> body_bytes)
      : r_(r),
        inputs_(inputs),
        // It may change headers.
        identity_(identify(r, *inputs.settings)),
        body_bytes_(body_bytes),
        capacity_(kOwnEntriesMax + entry_count(r)) {
    entries_ = static_cast<EnvironEntry*>(apr_palloc(r->pool, capacity_ * sizeof(EnvironEntry)));
  }

  // The order is that of precedence: what the administrator or a client sets never replaces what
  // httpd knows.
  std::span<const EnvironEntry> build() {
    add_variables();
    add_headers();
    add_body_length();
    add_request_line();
    add_server();
    add_client();
    add_resource();
    add_redirect();
    if (inputs_.settings->trusted_proxy_headers) believe(*inputs_.settings->trusted_proxy_headers);
    add_ours();
    add_tls();
    return {entries_, count_};
  }

  // wsgi.url_scheme, if a trusted proxy has said it. PRECONDITION: build() was called.
  std::optional<bool> https() const noexcept { return https_; }

 private:
  static constexpr std::size_t kOwnEntriesMax = 48;

  static std::size_t entry_count(const request_rec* r) {
    return entries_of(r->subprocess_env).size() + entries_of(r->headers_in).size();
  }

  void add(EnvironKey key, std::string_view value) {
    add({.key = key, .name = {}, .value = value});
  }
  void add(std::string_view name, std::string_view value) {
    add({.key = EnvironKey::other, .name = name, .value = value});
  }
  void add(const EnvironEntry& entry) {
    ap_assert(count_ < capacity_);
    new (&entries_[count_++]) EnvironEntry(entry);
  }

  void add_variables();
  void add_headers();
  void add_header(std::string_view name, const char* value);
  void add_body_length();
  void add_request_line();
  void add_server();
  void add_client();
  void add_resource();
  void add_redirect();
  void believe(const settings::ForwardedHeaderList& headers);
  void withhold(const RequestOrigin& origin);
  void add_origin(const RequestOrigin& origin);
  void add_identity();
  void add_ours();
  void add_tls();
  bool passes_to_application(std::string_view header) const;
  std::string_view method() const;
  std::string_view server_name() const;

  request_rec* r_;
  const EnvironInputs& inputs_;
  const RequestIdentity identity_;
  const std::optional<std::uint64_t> body_bytes_;  // known because it was received
  std::size_t capacity_;
  EnvironEntry* entries_;
  std::size_t count_ = 0;
  std::optional<bool> https_;
};

void Builder::add_variables() {
  for (const auto& variable : entries_of(r_->subprocess_env)) {
    const std::string_view name = variable.key;
    // HTTPS becomes wsgi.url_scheme; PATH is about httpd's process, not about the request.
    if (name == "HTTPS" || name == "PATH") continue;
    const auto key = gateway::find_environ_key(name);
    add({.key = key, .name = name, .value = view_or_empty(variable.val)});
  }
}

void Builder::add_headers() {
  for (const auto& header : entries_of(r_->headers_in)) {
    if (header.val != nullptr) add_header(header.key, header.val);
  }
}

bool Builder::passes_to_application(std::string_view header) const {
  using base::equals_ignoring_case;
  // "httpoxy": HTTP_PROXY would mean the proxy of outgoing requests to many libraries.
  if (equals_ignoring_case(header, "Proxy")) return false;
  const bool authorization = equals_ignoring_case(header, "Authorization");
  if (inputs_.credentials != Credentials::as_configured) {
    if (!authorization && !equals_ignoring_case(header, "Proxy-Authorization")) return true;
    return authorization && inputs_.credentials == Credentials::passed;
  }
  const bool httpd_passes = core_config(r_).cgi_pass_auth == AP_CGI_PASS_AUTH_ON;
  if (authorization) {
    if (httpd_passes || passes_authorization(r_, *inputs_.settings)) return true;
    note_withheld_authorization(r_);
    return false;
  }
  return httpd_passes || !equals_ignoring_case(header, "Proxy-Authorization");
}

void Builder::add_header(std::string_view name, const char* value) {
  if (!passes_to_application(name)) return;
  constexpr std::string_view kPrefix = "HTTP_";
  auto* const text = static_cast<char*>(apr_palloc(r_->pool, kPrefix.size() + name.size()));
  char* end = std::ranges::copy(kPrefix, text).out;
  for (const char c : name) {
    *end = key_character(c);
    if (*end++ == '\0') return;
  }
  const std::string_view key_text(text, static_cast<std::size_t>(end - text));
  if (key_text == "HTTP_CONTENT_TYPE") return add(EnvironKey::content_type, value);
  if (key_text == "HTTP_CONTENT_LENGTH") return;
  const auto key = gateway::find_environ_key(key_text);
  // The application gets such a body as if it had come in one piece (RFC 9112, 7.1.3).
  if (key == EnvironKey::http_transfer_encoding && body_bytes_) return;
  // mod_http2 joins them itself.
  const bool is_cookie = key == EnvironKey::http_cookie && r_->connection->master == nullptr;
  add({.key = key,
       .name = key_text,
       .value = is_cookie ? joined_cookies(r_->pool, value) : std::string_view(value)});
}

void Builder::add_body_length() {
  if (body_bytes_) {
    const fmt::format_int text(*body_bytes_);
    return add(EnvironKey::content_length, pool_copy(r_->pool, {text.data(), text.size()}));
  }
  const char* announced = apr_table_get(r_->headers_in, "Content-Length");
  if (announced != nullptr && is_body_as_announced(r_)) add(EnvironKey::content_length, announced);
}

std::string_view Builder::method() const {
  const std::string_view sent = r_->method;
  if (sent != "HEAD") return sent;
  switch (*inputs_.settings->map_head_to_get) {
    case settings::HeadMapping::off:
      return sent;
    case settings::HeadMapping::on:
      return "GET";
    case settings::HeadMapping::automatic:
      break;
  }
  const bool content_filter = r_->output_filters->frec->ftype < AP_FTYPE_PROTOCOL;
  return content_filter ? "GET" : sent;
}

void Builder::add_request_line() {
  add(EnvironKey::request_method, method());
  add(EnvironKey::script_name, inputs_.script_name);
  add(EnvironKey::path_info, inputs_.path_info);
  add(EnvironKey::query_string, view_or_empty(r_->args));
  add(EnvironKey::request_uri, request_uri(r_));
  add(EnvironKey::request_scheme, ap_http_scheme(r_));
  add(EnvironKey::server_protocol, view_or_empty(r_->protocol));
}

std::string_view Builder::server_name() const {
  const char* name = ap_get_server_name_for_url(r_);
  const bool plain = view_or_empty(name).find_first_of("<>&\"") == std::string_view::npos;
  return plain ? view_or_empty(name) : ap_escape_html(r_->pool, name);
}

void Builder::add_server() {
  add(EnvironKey::server_name, server_name());
  add(EnvironKey::server_port, decimal(r_->pool, ap_get_server_port(r_)));
  add(EnvironKey::server_addr, view_or_empty(r_->connection->local_ip));
  add(EnvironKey::server_software, ap_get_server_banner());
  add(EnvironKey::server_admin, view_or_empty(r_->server->server_admin));
}

void Builder::add_client() {
  add(EnvironKey::remote_addr, view_or_empty(r_->useragent_ip));
  add(EnvironKey::remote_port, decimal(r_->pool, r_->connection->client_addr->port));
  if (r_->user != nullptr) {
    add(EnvironKey::remote_user, r_->user);
    if (r_->ap_auth_type != nullptr) add(EnvironKey::auth_type, r_->ap_auth_type);
    return;
  }
  const request_rec* previous = r_->prev;
  while (previous != nullptr && previous->user == nullptr) previous = previous->prev;
  if (previous != nullptr) add("REDIRECT_REMOTE_USER", previous->user);
}

void Builder::add_resource() {
  add(EnvironKey::script_filename,
      path_in_jail(inputs_.group, view_or_empty(r_->filename)).value_or(""));
  add(EnvironKey::document_root,
      path_in_jail(inputs_.group, view_or_empty(ap_document_root(r_))).value_or(""));
  add(EnvironKey::context_prefix, view_or_empty(ap_context_prefix(r_)));
  add(EnvironKey::context_document_root, view_or_empty(ap_context_document_root(r_)));
}

void Builder::add_redirect() {
  const request_rec* previous = r_->prev;
  if (previous == nullptr) return;
  const bool qualified = core_config(r_).qualify_redirect_url == AP_CORE_CONFIG_ON;
  add("REDIRECT_URL", qualified ? ap_construct_url(r_->pool, previous->uri, r_) : previous->uri);
  if (previous->args != nullptr) add("REDIRECT_QUERY_STRING", previous->args);
}

std::optional<std::size_t> forwarded_header_of(const EnvironEntry& entry) {
  const bool by_number = entry.key != EnvironKey::other;
  return settings::find_forwarded_key(by_number ? gateway::name_of(entry.key) : entry.name);
}

// What trusted proxies say takes the place of what httpd has seen.
void Builder::believe(const settings::ForwardedHeaderList& headers) {
  ForwardedValues values;
  for (const EnvironEntry& entry : std::span(entries_, count_)) {
    if (const auto number = forwarded_header_of(entry)) values[*number] = entry.value;
  }
  const auto origin = find_origin(inputs_.settings->trusted_proxies, headers,
                                  view_or_empty(r_->useragent_ip), values);
  withhold(origin);
  add_origin(origin);
}

void Builder::withhold(const RequestOrigin& origin) {
  if (origin.withheld.none()) return;
  const auto kept = std::remove_if(entries_, entries_ + count_, [&](const EnvironEntry& entry) {
    const auto number = forwarded_header_of(entry);
    return number && origin.withheld[*number];
  });
  count_ = static_cast<std::size_t>(kept - entries_);
}

void Builder::add_origin(const RequestOrigin& origin) {
  if (origin.client) add(EnvironKey::remote_addr, *origin.client);
  if (origin.chain) add(EnvironKey::http_x_forwarded_for, pool_copy(r_->pool, *origin.chain));
  if (origin.host) add(EnvironKey::http_host, *origin.host);
  if (origin.server) add(EnvironKey::server_name, *origin.server);
  if (origin.port) add(EnvironKey::server_port, *origin.port);
  if (origin.mount_point) {
    add(EnvironKey::script_name, *origin.mount_point);
    add("mod_wsgi.mount_point", *origin.mount_point);
  }
  https_ = origin.https;
}

void Builder::add_identity() {
  add(EnvironKey::wsgi_request_id, identity_.request_id);
  if (!identity_.trace_id.empty()) add(EnvironKey::wsgi_trace_id, identity_.trace_id);
  if (!identity_.span_id.empty()) add(EnvironKey::wsgi_span_id, identity_.span_id);
  if (!identity_.trace_parent.empty()) add(EnvironKey::wsgi_trace_parent, identity_.trace_parent);
}

void Builder::add_ours() {
  const gateway::Target& target = *inputs_.target;
  const conn_rec* c = r_->connection;
  add(EnvironKey::wsgi_process_group, target.process_group);
  add(EnvironKey::wsgi_application_group, target.application_group);
  add(EnvironKey::wsgi_callable_object, target.callable);
  add(EnvironKey::wsgi_request_handler, view_or_empty(r_->handler));
  add(EnvironKey::wsgi_handler_script, inputs_.handler_script);
  add(EnvironKey::wsgi_script_name, inputs_.script_name);
  add(EnvironKey::wsgi_path_info, inputs_.path_info);
  add(EnvironKey::wsgi_listener_host, view_or_empty(c->local_addr->hostname));
  add(EnvironKey::wsgi_listener_port, decimal(r_->pool, c->local_addr->port));
  add(EnvironKey::wsgi_server_pid, decimal(r_->pool, getpid()));
  add_identity();
  if (c->log_id != nullptr) add(EnvironKey::wsgi_connection_id, c->log_id);
}

// For the extension tls of a scope (asgi/tls_extension.h), whatever SSLOptions has exported.
void Builder::add_tls() {
  if (inputs_.group == nullptr || !inputs_.group->options.asgi_tls) return;
  if (!ap_ssl_conn_is_ssl(r_->connection)) return;
  const auto add_variable = [this](const char* name) {
    const char* value = ap_ssl_var_lookup(r_->pool, r_->server, r_->connection, r_, name);
    const bool is_set = value != nullptr && *value != '\0';
    if (is_set) add(name, value);
    return is_set;
  };
  for (const char* name : {"SSL_SERVER_CERT", "SSL_CLIENT_CERT", "SSL_CLIENT_S_DN",
                           "SSL_CLIENT_VERIFY", "SSL_PROTOCOL", "SSL_CIPHER"}) {
    add_variable(name);
  }
  constexpr int kChainMax = 10;
  for (int i = 0; i < kChainMax; ++i) {
    if (!add_variable(apr_psprintf(r_->pool, "SSL_CLIENT_CERT_CHAIN_%d", i))) break;
  }
}

bool is_https(const request_rec* r) {
  if (ap_ssl_conn_is_ssl(r->connection)) return true;
  // SetEnvIf X-Forwarded-Proto https HTTPS=on
  const auto variable = view_or_empty(apr_table_get(r->subprocess_env, "HTTPS"));
  return variable == "1" || base::equals_ignoring_case(variable, "on");
}

std::optional<std::uint64_t> announced_length(const request_rec* r) {
  if (!is_body_as_announced(r)) return std::nullopt;
  const char* length = apr_table_get(r->headers_in, "Content-Length");
  return length == nullptr ? std::optional<std::uint64_t>(0) : base::parse_unsigned(length);
}

}  // namespace

std::string_view collapse_slashes(apr_pool_t* pool, std::string_view path) {
  if (path.find("//") == path.npos) return path;
  char* copy = apr_pstrmemdup(pool, path.data(), path.size());
  ap_no2slash(copy);
  return copy;
}

bool is_body_filtered(const request_rec* r) {
  // They are in the order of their types.
  const bool has_filters = r->input_filters->frec->ftype < AP_FTYPE_PROTOCOL;
  if (!has_filters || r->main != nullptr) return false;
  const auto length = view_or_empty(apr_table_get(r->headers_in, "Content-Length"));
  return apr_table_get(r->headers_in, "Transfer-Encoding") != nullptr ||
         length.find_first_not_of('0') != length.npos;
}

bool is_body_as_announced(const request_rec* r) {
  return apr_table_get(r->headers_in, "Transfer-Encoding") == nullptr && !is_body_filtered(r);
}

gateway::RequestHead build_request_head(request_rec* r, const EnvironInputs& inputs,
                                        std::optional<std::uint64_t> received_bytes) {
  const bool may_switch =
      inputs.group != nullptr && inputs.target->protocol != gateway::Protocol::wsgi;
  const auto web_socket = may_switch ? web_socket_offer_of(r) : gateway::WebSocketOffer::none;
  // What comes behind is the stream, which nobody is to take for a body.
  const bool has_no_body = web_socket == gateway::WebSocketOffer::valid;
  Builder builder(r, inputs, received_bytes);
  const auto environ = builder.build();
  const auto https = builder.https();
  return {.environ = environ,
          .https = https ? *https : is_https(r),
          .is_head = r->header_only != 0,
          .web_socket = web_socket,
          .ignores_activity = *inputs.settings->ignore_activity,
          .server_request =
              *inputs.settings->pass_apache_request && inputs.group == nullptr ? r : nullptr,
          .content_length = has_no_body      ? 0
                            : received_bytes ? received_bytes
                                             : announced_length(r),
          .start_us = r->request_time};
}

}  // namespace pyhost::apache

#include "apache/check/imagined_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/access/ask.h"
#include "apache/check/applications.h"
#include "apache/pool.h"
#include "apache/request/alias.h"
#include "apache/request/request_map.h"
#include "base/parse.h"

namespace pyhost::apache {
namespace {

// An address for documentation (RFC 5737): nobody's, and not this machine's.
constexpr char kClientAddress[] = "192.0.2.1";
constexpr char kOwnAddress[] = "127.0.0.1";

apr_sockaddr_t* address_of(apr_pool_t* pool, const char* ip, unsigned port) {
  apr_sockaddr_t* address = nullptr;
  apr_sockaddr_info_get(&address, ip, APR_INET, static_cast<apr_port_t>(port), 0, pool);
  return address;
}

// That of a virtual host with an address of its own.
apr_sockaddr_t* address_of(apr_pool_t* pool, const server_rec* s, unsigned port) {
  const auto* own = s == nullptr ? nullptr : s->addrs;
  if (own == nullptr || apr_sockaddr_is_wildcard(own->host_addr)) {
    return address_of(pool, kOwnAddress, port);
  }
  char* ip = nullptr;
  apr_sockaddr_ip_get(&ip, own->host_addr);
  apr_sockaddr_t* address = nullptr;
  apr_sockaddr_info_get(&address, ip, own->host_addr->family,
                        own->host_port != 0 ? own->host_port : static_cast<apr_port_t>(port), 0,
                        pool);
  return address;
}

// A virtual host of that name that has an address of its own; null when there is none.
const server_rec* host_with_address(const server_rec* s, const std::string& name, unsigned port) {
  for (; s != nullptr; s = s->next) {
    if (!s->is_virtual || s->addrs == nullptr) continue;
    const bool has_port = s->addrs->host_port == 0 || s->addrs->host_port == port;
    if (has_port && base::equals_ignoring_case(view_or_empty(s->server_hostname), name)) return s;
  }
  return nullptr;
}

// What looks at a request before it is mapped, as far as a process can do that in which no child
// was started: SetEnvIf and BrowserMatch, early RequestHeader.
int run_early_hooks(request_rec* r) {
  constexpr std::string_view kSelfContained[] = {"mod_setenvif.c", "mod_headers.c"};
  const auto* hooks = ap_hook_get_post_read_request();
  for (int i = 0; hooks != nullptr && i < hooks->nelts; ++i) {
    const auto& hook = APR_ARRAY_IDX(hooks, i, ap_LINK_post_read_request_t);
    if (std::ranges::find(kSelfContained, view_or_empty(hook.szName)) == std::end(kSelfContained)) {
      continue;
    }
    if (const int status = hook.pFunc(r); status != OK && status != DECLINED) return status;
  }
  return OK;
}

// What has named the process group.
std::string chooser_of(const request_rec* r, const ScriptAlias* alias,
                       const HandlerScript* script) {
  if (script != nullptr && script->settings.process_group) {
    return "process-group= of the WSGIHandlerScript";
  }
  if (alias != nullptr && alias->settings.process_group) return "process-group= of the alias";
  const DirectoryConfig& section = directory_config(r->per_dir_config);
  if (section.request.process_group) {
    return fmt::format("WSGIProcessGroup at {}", view_or_empty(section.group_place));
  }
  const auto& places = server_config(r->server).places;
  const auto place = places.find("WSGIProcessGroup");
  if (place == places.end()) return "no WSGIProcessGroup: httpd's own processes";
  return fmt::format("WSGIProcessGroup at {}", place->second);
}

}  // namespace

ImaginedRequest::ImaginedRequest(const server_rec* main_server, const ProbedUrl& url) {
  apr_pool_create(&pool_, nullptr);
  make_connection(main_server, url);
  make_request(url);
}

ImaginedRequest::~ImaginedRequest() {
  apr_pool_destroy(pool_);
}

void ImaginedRequest::make_connection(const server_rec* main_server, const ProbedUrl& url) {
  connection_ = static_cast<conn_rec*>(apr_pcalloc(pool_, sizeof(conn_rec)));
  conn_rec& c = *connection_;
  c.pool = pool_;
  c.base_server = const_cast<server_rec*>(main_server);
  c.bucket_alloc = apr_bucket_alloc_create(pool_);
  c.conn_config = ap_create_conn_config(pool_);
  c.notes = apr_table_make(pool_, 1);
  c.client_addr = address_of(pool_, kClientAddress, 1);
  c.client_ip = apr_pstrdup(pool_, kClientAddress);
  const server_rec* host =
      url.server != nullptr ? url.server : host_with_address(main_server, url.host, url.port);
  c.local_addr = address_of(pool_, host, url.port);
  apr_sockaddr_ip_get(&c.local_ip, c.local_addr);
  ap_update_vhost_given_ip(&c);
}

void ImaginedRequest::make_request(const ProbedUrl& url) {
  request_ = ap_create_request(connection_);
  request_rec& r = *request_;
  r.protocol = apr_pstrdup(pool_, "HTTP/1.1");
  r.proto_num = HTTP_VERSION(1, 1);
  r.method = "GET";
  r.method_number = M_GET;
  r.status = HTTP_OK;
  r.request_time = apr_time_now();
  r.the_request = apr_psprintf(pool_, "GET %s HTTP/1.1", url.path.c_str());
  apr_table_set(r.headers_in, "Host", url.host.c_str());
  r.hostname = apr_pstrdup(pool_, url.host.c_str());
  ap_parse_uri(&r, apr_pstrdup(pool_, url.path.c_str()));
  ap_update_vhost_from_headers(&r);
  if (url.server != nullptr) r.server = const_cast<server_rec*>(url.server);
  r.per_dir_config = r.server->lookup_defaults;
}

int ImaginedRequest::map() {
  request_rec* r = request_;
  if (r->status != HTTP_OK) return r->status;
  if (const int status = run_early_hooks(r); status != OK) return status;
  if (r->uri == nullptr || ap_unescape_url(r->uri) != OK) return HTTP_BAD_REQUEST;
  ap_getparents(r->uri);
  for (const auto walk : {ap_location_walk, ap_if_walk}) {
    if (const int status = walk(r); status != OK) return status;
  }
  if (const int status = ap_run_translate_name(r); status != OK) return status;
  r->per_dir_config = r->server->lookup_defaults;
  for (const auto walk : {ap_run_map_to_storage, ap_location_walk, ap_if_walk}) {
    if (const int status = walk(r); status != OK) return status;
  }
  return OK;
}

int ImaginedRequest::check_access() {
  const int status = ap_run_access_checker_ex(request_);
  if (status != DECLINED) return status;
  return ap_auth_type(request_) != nullptr ? HTTP_UNAUTHORIZED : OK;
}

int ImaginedRequest::find_handler() {
  for (const auto phase : {ap_run_type_checker, ap_run_fixups}) {
    if (const int status = phase(request_); status != OK && status != DECLINED) return status;
  }
  return OK;
}

void ImaginedRequest::describe_mapping(control::Explanation& explanation) const {
  request_rec* r = request_;
  explanation.server = name_of(r->server);
  explanation.server_place = place_of(r->server);
  explanation.target = view_or_empty(r->filename);
  explanation.path_info = view_or_empty(r->path_info);
  explanation.handler = view_or_empty(r->handler);
  if (const ScriptAlias* alias = find_alias(r)) {
    explanation.alias = alias->written;
    explanation.alias_place = view_or_empty(alias->place);
  }
}

void ImaginedRequest::describe_application(control::Explanation& explanation) {
  const std::string_view handler = explanation.handler;
  const bool runs_files = handler == kHandler || handler == kLegacyHandler;
  const HandlerScript* script = runs_files ? nullptr : find_handler_script(request_);
  if (!runs_files && script == nullptr) {
    explanation.refusal = "no application answers it";
    return;
  }
  if (script != nullptr) {
    explanation.alias = script->written;
    explanation.alias_place = view_or_empty(script->place);
  }
  explanation.chosen_by = chooser_of(request_, find_alias(request_), script);
  // Nobody is asked here who runs code of an application.
  if (const HookScript* dispatcher = hook_for(request_, settings::Hook::dispatch)) {
    explanation.chosen_by = fmt::format("{}, which only a request is answered by ({})",
                                        dispatcher->written, view_or_empty(dispatcher->place));
    return;
  }
  const auto mapped = map_request(request_, script);
  if (!mapped) {
    explanation.status = static_cast<unsigned>(mapped.error().status);
    explanation.refusal = fmt::format("{}: {}", id_of(mapped.error().message), mapped.error().text);
    return;
  }
  explanation.process_group = mapped->target.process_group;
  explanation.application_group = mapped->target.application_group;
  if (mapped->group != nullptr) explanation.group_place = view_or_empty(mapped->group->place);
  explanation.mapped = true;
}

control::Explanation ImaginedRequest::explain() {
  control::Explanation explanation{.url = std::string(view_or_empty(request_->unparsed_uri))};
  const auto stop = [&explanation](int status, std::string_view why) {
    explanation.status = static_cast<unsigned>(status);
    explanation.refusal = why;
  };
  const int mapped = map();
  describe_mapping(explanation);
  if (mapped != OK) {
    stop(mapped, "httpd answers it itself");
    return explanation;
  }
  const int access = check_access();
  if (const int status = find_handler(); status != OK) {
    stop(status, "httpd answers it itself");
    return explanation;
  }
  describe_mapping(explanation);
  describe_application(explanation);
  if (access == HTTP_UNAUTHORIZED) {
    stop(access, "a user has to log in (Require)");
  } else if (access != OK) {
    stop(access, "access is not granted (Require)");
  }
  return explanation;
}

}  // namespace pyhost::apache

#include "apache/hooks.h"

#include <string_view>

#include "apache/alias.h"
#include "apache/embedded_engine.h"
#include "apache/environ_builder.h"
#include "apache/guarded.h"
#include "apache/pool.h"
#include "apache/request_exchange.h"
#include "apache/request_map.h"
#include "apache/startup.h"

namespace pyhost::apache {
namespace {

// httpd gives its handlers no other way to what a child owns. In the child's pool; null in the
// parent, and in a child that is ending.
EmbeddedEngine* engine_of_child = nullptr;

void preload_scripts(const server_rec* s) {
  for (; s != nullptr; s = s->next) {
    for (const Preload& script : server_config(s).preloads) {
      gateway::Target target;
      target.kind = script.kind;
      target.script = script.script;
      target.application_group = script.application_group;
      engine_of_child->preload(target);
    }
  }
}

void start_child(apr_pool_t* pchild, server_rec* s) {
  engine_of_child = pool_new<EmbeddedEngine>(pchild);
  if (!*process_settings().restrict_embedded) preload_scripts(s);
}

bool is_our_handler(const char* handler) {
  const auto name = view_or_empty(handler);
  return name == kHandler || name == kLegacyHandler;
}

int handle(request_rec* r) {
  if (!is_our_handler(r->handler)) return DECLINED;
  const auto request = map_request(r);
  if (!request) {
    const Refusal& refusal = request.error();
    if (!refusal.text.empty()) {
      log_request(r, base::LogLevel::error, refusal.message, refusal.text);
    }
    return refusal.status;
  }
  const auto head = build_request_head(r, {.target = &request->target,
                                           .settings = &request->settings,
                                           .script_name = request->script_name,
                                           .path_info = request->path_info});
  RequestExchange exchange(r, head, request->settings);
  return exchange.finish(engine_of_child->run(request->target, exchange));
}

}  // namespace

void register_hooks(apr_pool_t*) {
  // An Alias for static files wins over a WSGIScriptAlias on /; both win over per-user and
  // per-host folders.
  static const char* const before_us[] = {"mod_alias.c", nullptr};
  static const char* const behind_us[] = {"mod_userdir.c", "mod_vhost_alias.c", nullptr};
  ap_hook_translate_name(guarded<&translate_alias, HTTP_INTERNAL_SERVER_ERROR>, before_us,
                         behind_us, APR_HOOK_MIDDLE);
  ap_hook_map_to_storage(guarded<&skip_storage_of_module, HTTP_INTERNAL_SERVER_ERROR>, nullptr,
                         nullptr, APR_HOOK_FIRST);
  ap_hook_handler(guarded<&handle, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_check_config(guarded<&check_configuration, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                       APR_HOOK_MIDDLE);
  ap_hook_test_config(guarded<&dump_configuration>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_config(guarded<&prepare_children, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_MIDDLE);
  ap_hook_child_init(guarded<&start_child>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace pyhost::apache

#include "apache/hooks.h"

#include <mod_status.h>
#include <stdlib.h>

#include <string>
#include <string_view>

#include "apache/access/access_hooks.h"
#include "apache/config/config.h"
#include "apache/config/configuration_dump.h"
#include "apache/config/places.h"
#include "apache/config/preloads.h"
#include "apache/config/startup.h"
#include "apache/guarded.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process/adopted_listeners.h"
#include "apache/process/child_engines.h"
#include "apache/process/run_state.h"
#include "apache/process/supervision.h"
#include "apache/request/alias.h"
#include "apache/request/log_items.h"
#include "apache/request/reply_file.h"
#include "apache/request/request_identity.h"
#include "apache/request/request_map.h"
#include "apache/request/run_request.h"
#include "apache/request/slow_requests.h"
#include "apache/status/health_handler.h"
#include "apache/status/status_handler.h"
#include "apache/status_page.h"
#include "apache/websocket/child_sockets.h"
#include "apache/websocket/serve_web_socket.h"
#include "base/locale_coercion.h"

namespace pyhost::apache {
namespace {

// httpd gives its hooks no other way to what a process owns. The parent's is in the
// configuration's pool, and its children inherit a copy.
Supervision* supervision = nullptr;

void preload_scripts(const server_rec* s) {
  for (const gateway::Script& script : preloads_of(s, "")) {
    ChildEngines::of_this_child().embedded().prepare(target_of(script));
  }
}

// Before Python starts: os.environ begins as the environment is then.
void set_environment() {
  const auto& settings = process_settings();
  if (const auto& eggs = settings.python_eggs) {
    setenv("PYTHON_EGG_CACHE", std::string(*eggs).c_str(), 1);
  }
  const char* coerced =
      base::coerced_ctype(view_or_empty(getenv("LC_ALL")), view_or_empty(getenv("LC_CTYPE")),
                          view_or_empty(getenv("LANG")));
  if (coerced != nullptr) setenv("LC_CTYPE", coerced, 1);
}

void start_child(apr_pool_t* pchild, server_rec* s) {
  ChildEngines::start(pchild, *supervision);
  ChildSockets::start(pchild);
  if (*process_settings().restrict_embedded) return;
  set_environment();
  preload_scripts(s);
}

// Before other modules fork off processes of theirs.
int prepare_supervision(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) {
  if (is_only_a_check()) return OK;
  supervision = Supervision::create(pconf, s);
  const auto prepared = ChildSockets::prepare(pconf);
  if (prepared || is_restart()) return OK;
  log_server(s, base::LogLevel::emerg, base::Message::supervision_failed,
             prepared.error().sentence);
  return HTTP_INTERNAL_SERVER_ERROR;
}

int start_workers(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) {
  if (is_only_a_check()) return OK;
  const auto applied = supervision->apply();
  if (applied) return OK;
  const bool restart = is_restart();
  log_server(s, restart ? base::LogLevel::crit : base::LogLevel::emerg,
             base::Message::supervision_failed, with_places(applied.error().sentence));
  return restart ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

void note_child(server_rec*, pid_t pid, ap_generation_t, int, mpm_child_status state) {
  if (state == MPM_CHILD_EXITED && supervision != nullptr) supervision->forget_child(pid);
}

int look_after_supervisor(apr_pool_t*, server_rec* s) {
  if (supervision == nullptr) return OK;
  supervision->look_after();
  log_slow_ones_that_run(s, *supervision);
  return OK;
}

bool is_our_handler(const char* handler) {
  const auto name = view_or_empty(handler);
  return name == kHandler || name == kLegacyHandler;
}

int handle(request_rec* r) {
  const bool runs_files = is_our_handler(r->handler);
  const HandlerScript* handler = runs_files ? nullptr : find_handler_script(r);
  if (!runs_files && handler == nullptr) return DECLINED;
  const auto request = map_request(r, handler);
  if (!request) {
    const Refusal& refusal = request.error();
    if (!refusal.text.empty()) {
      log_request(r, refusal.level, refusal.message, refusal.text);
    }
    return refusal.status;
  }
  return run_request(r, *request);
}

int answer_figures(request_rec* r) {
  return answer_status(r, *supervision);
}

int tell_health(request_rec* r) {
  return answer_health(r, *supervision);
}

int add_to_status_page(request_rec* r, int flags) {
  show_process_groups(r, *supervision, flags);
  return OK;
}

}  // namespace

void register_hooks(apr_pool_t* pool) {
  // An Alias for static files wins over a WSGIScriptAlias on /; both win over per-user and
  // per-host folders.
  static const char* const before_us[] = {"mod_alias.c", nullptr};
  static const char* const behind_us[] = {"mod_userdir.c", "mod_vhost_alias.c", nullptr};
  ap_hook_translate_name(guarded<&translate_alias, HTTP_INTERNAL_SERVER_ERROR>, before_us,
                         behind_us, APR_HOOK_MIDDLE);
  ap_hook_map_to_storage(guarded<&skip_storage_of_module, HTTP_INTERNAL_SERVER_ERROR>, nullptr,
                         nullptr, APR_HOOK_FIRST);
  ap_hook_handler(guarded<&handle, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_handler(guarded<&answer_figures, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                  APR_HOOK_MIDDLE);
  ap_hook_handler(guarded<&tell_health, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                  APR_HOOK_MIDDLE);
  ap_hook_check_config(guarded<&check_configuration, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                       APR_HOOK_MIDDLE);
  ap_hook_test_config(guarded<&dump_configuration>, nullptr, nullptr, APR_HOOK_MIDDLE);
  // The MPM's own hook is one of the very first, too.
  static const char* const mpms[] = {"event.c", "worker.c", "prefork.c", nullptr};
  ap_hook_open_logs(guarded<&adopt_listeners, HTTP_INTERNAL_SERVER_ERROR>, nullptr, mpms,
                    APR_HOOK_REALLY_FIRST);
  ap_hook_pre_connection(guarded<&name_unix_client, OK>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_post_config(guarded<&prepare_supervision, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_REALLY_FIRST);
  ap_hook_post_config(guarded<&prepare_children, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_MIDDLE);
  ap_hook_post_config(guarded<&start_workers, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_LAST);
  ap_hook_child_status(guarded<&note_child>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_monitor(guarded<&look_after_supervisor, OK>, nullptr, nullptr, APR_HOOK_MIDDLE);
  // mod_status has it, where that is loaded.
  constexpr auto show_status = guarded<&add_to_status_page, OK>;
  APR_OPTIONAL_HOOK(ap, status_hook, show_status, nullptr, nullptr, APR_HOOK_MIDDLE);
  // mod_unique_id has an id for each request, where it is loaded.
  static const char* const other_ids[] = {"mod_unique_id.c", nullptr};
  ap_hook_generate_log_id(guarded<&generate_trace_id, DECLINED>, nullptr, other_ids,
                          APR_HOOK_FIRST);
  ap_hook_post_read_request(guarded<&renew_early_id, DECLINED>, nullptr, nullptr,
                            APR_HOOK_REALLY_FIRST);
  ap_hook_pre_config(guarded<&register_log_items, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                     APR_HOOK_MIDDLE);
  register_reply_files();
  register_access_hooks(pool);
  ap_hook_child_init(guarded<&start_child>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_stopping(guarded<&ChildSockets::note_stopping>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_suspend_connection(guarded<&note_suspended_connection>, nullptr, nullptr,
                             APR_HOOK_REALLY_LAST);
}

}  // namespace pyhost::apache

#include "apache/access/access_hooks.h"

#include <fmt/format.h>

#include "apache/access/ask.h"
#include "apache/access/check_authn.h"
#include "apache/access/providers.h"
#include "apache/access/unavailable.h"
#include "apache/guarded.h"
#include "apache/log.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Answer;
using settings::Hook;

std::string_view name_of_client(request_rec* r) {
  const char* name = ap_get_useragent_host(r, REMOTE_HOST, nullptr);
  return view_or_empty(name != nullptr ? name : r->useragent_ip);
}

int check_access(request_rec* r) {
  const HookScript* hook = hook_for(r, Hook::access);
  if (hook == nullptr) return DECLINED;
  const auto answer = ask(r, *hook, gateway::QuestionKind::access, name_of_client(r));
  if (!answer) {
    const int status = status_of_refusal(r, answer.error());
    return status == HTTP_INTERNAL_SERVER_ERROR ? HTTP_FORBIDDEN : status;
  }
  if (answer->kind == Answer::Kind::yes) return OK;
  if (answer->kind == Answer::Kind::none) return DECLINED;
  if (ap_satisfies(r) != SATISFY_ANY) {
    log_request(r, LogLevel::info, Message::access_denied,
                fmt::format("allow_access() of {} has denied the client {}", hook->script,
                            view_or_empty(r->uri)));
  }
  return HTTP_FORBIDDEN;
}

// What mod_auth_basic and others make of an error is 500.
int ask_for_users(request_rec* r) {
  if (hook_for(r, Hook::auth_user) == nullptr) return DECLINED;
  return with_unavailability(r, &ap_run_check_user_id);
}

// The same for mod_authz_core.
int ask_for_groups(request_rec* r) {
  if (hook_for(r, Hook::auth_group) == nullptr) return DECLINED;
  return with_unavailability(r, &ap_run_auth_checker);
}

}  // namespace

// AP_AUTH_INTERNAL_PER_CONF: what was decided for a page holds for its subrequests and internal
// redirects of the same configuration, in all modules, as long as every hook is of this kind.
void register_access_hooks(apr_pool_t* pool) {
  static const char* const behind_tls[] = {"mod_ssl.c", nullptr};
  static const char* const before_others[] = {"mod_authz_host.c", "mod_access_compat.c", nullptr};
  ap_hook_check_access(guarded<&check_access, HTTP_INTERNAL_SERVER_ERROR>, behind_tls,
                       before_others, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authn(guarded<&ask_for_users, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authn(guarded<&check_authn, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  ap_hook_check_authz(guarded<&ask_for_groups, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  register_providers(pool);
}

}  // namespace pyhost::apache

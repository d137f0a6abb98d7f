#include "apache/access/providers.h"

#include <ap_provider.h>
#include <fmt/format.h>
#include <mod_auth.h>

#include <algorithm>
#include <string_view>

#include "apache/access/ask.h"
#include "apache/access/unavailable.h"
#include "apache/guarded.h"
#include "apache/log.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Answer;
using gateway::AskResult;
using gateway::QuestionKind;
using settings::Hook;

constexpr char kProvider[] = "wsgi";
constexpr char kGroupProvider[] = "wsgi-group";

const HookScript* hook_or_complaint(const request_rec* r, Hook hook, std::string_view provider,
                                    std::string_view directive) {
  const HookScript* found = hook_for(r, hook);
  if (found == nullptr) {
    log_request(r, LogLevel::error, Message::hook_script_missing,
                fmt::format("{} is used, and no {} is in force for {}; add one to the same section",
                            provider, directive, view_or_empty(r->uri)));
  }
  return found;
}

authn_status check_password(request_rec* r, const char* user, const char* password) {
  const HookScript* hook =
      hook_or_complaint(r, Hook::auth_user, "the provider wsgi", "WSGIAuthUserScript");
  if (hook == nullptr) return AUTH_GENERAL_ERROR;
  const auto answer =
      ask(r, *hook, QuestionKind::password, view_or_empty(user), view_or_empty(password));
  if (!answer) {
    note_unavailability(r, answer.error());
    return AUTH_GENERAL_ERROR;
  }
  switch (answer->kind) {
    case Answer::Kind::yes:
      return AUTH_GRANTED;
    case Answer::Kind::no:
      return AUTH_DENIED;
    case Answer::Kind::none:
      return AUTH_USER_NOT_FOUND;
    case Answer::Kind::text:
      r->user = const_cast<char*>(pool_c_string(r->pool, answer->text));
      return AUTH_GRANTED;
    default:
      return AUTH_GENERAL_ERROR;
  }
}

authn_status get_realm_hash(request_rec* r, const char* user, const char* realm, char** hash) {
  const HookScript* hook =
      hook_or_complaint(r, Hook::auth_user, "the provider wsgi", "WSGIAuthUserScript");
  if (hook == nullptr) return AUTH_GENERAL_ERROR;
  const auto answer =
      ask(r, *hook, QuestionKind::realm_hash, view_or_empty(user), view_or_empty(realm));
  if (!answer) {
    note_unavailability(r, answer.error());
    return AUTH_GENERAL_ERROR;
  }
  if (answer->kind == Answer::Kind::none) return AUTH_USER_NOT_FOUND;
  if (answer->kind != Answer::Kind::text) return AUTH_GENERAL_ERROR;
  *hash = const_cast<char*>(pool_c_string(r->pool, answer->text));
  return AUTH_USER_FOUND;
}

void note_denial(const request_rec* r, Message message, std::string_view why) {
  log_request(
      r, LogLevel::info, message,
      fmt::format("user '{}' {}, for {}", view_or_empty(r->user), why, view_or_empty(r->uri)));
}

bool is_required(const char* require_line, apr_pool_t* pool, std::string_view group) {
  for (const char* rest = require_line; *rest != '\0';) {
    if (ap_getword_conf(pool, &rest) == group) return true;
  }
  return false;
}

authz_status check_groups(request_rec* r, const char* require_line, const void*) {
  if (r->user == nullptr) return AUTHZ_DENIED_NO_USER;
  const HookScript* hook =
      hook_or_complaint(r, Hook::auth_group, "Require wsgi-group", "WSGIAuthGroupScript");
  if (hook == nullptr) return AUTHZ_GENERAL_ERROR;
  const auto answer = ask(r, *hook, QuestionKind::groups, r->user);
  if (!answer) {
    note_unavailability(r, answer.error());
    if (answer.error().status == HTTP_SERVICE_UNAVAILABLE) return AUTHZ_GENERAL_ERROR;
    note_denial(r, Message::groups_unknown, "is let into no group, because they could not be had");
    return AUTHZ_DENIED;
  }
  const bool is_member = std::ranges::any_of(answer->items, [&](const auto& group) {
    return group && is_required(require_line, r->pool, *group);
  });
  if (is_member) return AUTHZ_GRANTED;
  const bool none = answer->items.empty();
  note_denial(r, none ? Message::groups_empty : Message::groups_differ,
              none ? "is in no group" : "is in none of the groups that may");
  return AUTHZ_DENIED;
}

const char* check_require_line(cmd_parms* cmd, const char* require_line, const void**) {
  const std::string_view line = view_or_empty(require_line);
  if (line.find_first_not_of(" \t") != line.npos) return nullptr;
  return apr_psprintf(cmd->pool, "Require %s takes the names of groups", kGroupProvider);
}

constexpr authn_provider kUsers{
    .check_password = guarded<&check_password, AUTH_GENERAL_ERROR>,
    .get_realm_hash = guarded<&get_realm_hash, AUTH_GENERAL_ERROR>,
};

constexpr authz_provider kGroups{
    .check_authorization = guarded<&check_groups, AUTHZ_GENERAL_ERROR>,
    .parse_require_line = check_require_line,
};

}  // namespace

// As of hooks that say how what they find depends on the configuration alone: otherwise httpd would
// ask again for every subrequest.
void register_providers(apr_pool_t* pool) {
  ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, kProvider, AUTHN_PROVIDER_VERSION, &kUsers,
                            AP_AUTH_INTERNAL_PER_CONF);
  ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, kGroupProvider, AUTHZ_PROVIDER_VERSION,
                            &kGroups, AP_AUTH_INTERNAL_PER_CONF);
}

}  // namespace pyhost::apache

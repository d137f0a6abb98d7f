#include "apache/access/check_authn.h"

#include "apache/access/ask.h"
#include "apache/access/unavailable.h"
#include "apache/pool.h"
#include "apache/request/annotations.h"
#include "base/parse.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::apache {
namespace {

using base::equals_ignoring_case;
using gateway::Answer;
using gateway::QuestionKind;

constexpr char kAuthType[] = "wsgi";

int accept_user(request_rec* r, const Answer& answer) {
  r->user = const_cast<char*>(pool_c_string(r->pool, answer.text));
  const char* type = ap_auth_type(r);
  r->ap_auth_type = const_cast<char*>(type != nullptr ? type : kAuthType);
  annotate(r, answer.annotations);
  return OK;
}

// They have to survive httpd's own page for the status.
bool set_headers(request_rec* r, const Answer& answer) {
  bool has_challenge = false;
  for (const auto& [name, value] : answer.headers) {
    has_challenge |= equals_ignoring_case(name, "WWW-Authenticate");
    if (equals_ignoring_case(name, "Content-Type")) continue;
    apr_table_addn(r->err_headers_out, pool_c_string(r->pool, name), pool_c_string(r->pool, value));
  }
  return has_challenge;
}

const char* content_type_of(apr_pool_t* pool, const Answer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (equals_ignoring_case(name, "Content-Type")) return pool_c_string(pool, value);
  }
  return nullptr;
}

// What httpd does for an error page of its own, with another text. The rest of the request's body
// is read, so that the connection can be used again.
int send_reply(request_rec* r, const Answer& answer) {
  ap_discard_request_body(r);
  r->status = answer.status;
  r->status_line = ap_get_status_line_ex(r->pool, answer.status);
  r->output_filters = r->proto_output_filters;
  ap_run_insert_error_filter(r);
  ap_set_content_type(r, content_type_of(r->pool, answer));
  if (!gateway::forbids_body(answer.status)) {
    ap_set_content_length(r, static_cast<apr_off_t>(answer.body.size()));
  }
  ap_rwrite(pool_c_string(r->pool, answer.body), static_cast<int>(answer.body.size()), r);
  return DONE;
}

int reply(request_rec* r, const Answer& answer) {
  // Of a subrequest only the status is looked at, and nothing below 400 may look like access.
  if (r->main != nullptr) {
    return ap_is_HTTP_ERROR(answer.status) ? answer.status : HTTP_FORBIDDEN;
  }
  const bool has_challenge = set_headers(r, answer);
  if (answer.status == HTTP_UNAUTHORIZED && !has_challenge) ap_note_auth_failure(r);
  const bool has_page = ap_is_HTTP_ERROR(answer.status) || ap_is_HTTP_REDIRECT(answer.status);
  if (answer.body.empty() && has_page) return answer.status;
  return send_reply(r, answer);
}

}  // namespace

int check_authn(request_rec* r) {
  const HookScript* hook = hook_for(r, settings::Hook::check_authn);
  if (hook == nullptr) return DECLINED;
  const auto answer = ask(r, *hook, QuestionKind::authn);
  if (!answer) return status_of_refusal(r, answer.error());
  switch (answer->kind) {
    case Answer::Kind::none:
      return DECLINED;
    case Answer::Kind::user:
      return accept_user(r, *answer);
    case Answer::Kind::reply:
      return reply(r, *answer);
    default:
      return HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace pyhost::apache

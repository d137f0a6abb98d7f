#include "apache/status/status_handler.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "apache/config/config.h"
#include "apache/pool.h"
#include "apache/process/run_state.h"
#include "apache/request/random_id.h"
#include "apache/status/server_figures.h"
#include "apache/status/stacks.h"
#include "apache/status/status_access.h"
#include "apache/status/status_form.h"
#include "apache/status/status_html.h"
#include "base/printable.h"
#include "control/status_answer_of.h"
#include "metrics/exposition.h"
#include "metrics/figures_json.h"

namespace pyhost::apache {
namespace {

constexpr char kHtmlType[] = "text/html; charset=utf-8";

struct Page {
  const char* type;
  std::string text;
};

// The figures, and how the groups are, as `pyhost status --json` has them.
std::string json_page(Supervision& supervision, metrics::WorkerDetail detail) {
  control::StatusAnswer answer;
  for (const auto& report : reports_of_server(supervision)) {
    answer.groups.push_back(control::status_answer_of(report));
  }
  auto json = metrics::json_of(figures_of_server(supervision, detail));
  json["groups"] = nlohmann::ordered_json::parse(to_json(answer))["groups"];
  return json.dump() + "\n";
}

std::string software(const Supervision& supervision) {
  std::string text = "httpd " + httpd_version();
  for (const auto& plugin : supervision.plugins()) text += ", Python " + plugin.python_version;
  return text;
}

// Nothing but the page's own style and script counts, whatever a name or a URL has in it.
std::string policy_for(const std::string& nonce) {
  return fmt::format(
      "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; "
      "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
      nonce);
}

std::string html_page(request_rec* r, Supervision& supervision) {
  constexpr std::size_t kNonceDigits = 32;
  const std::string nonce = random_id(kNonceDigits);
  apr_table_setn(r->headers_out, "Content-Security-Policy",
                 pool_c_string(r->pool, policy_for(nonce)));
  apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
  return status_html({.server = std::string(view_or_empty(ap_get_server_name(r))),
                      .software = software(supervision),
                      .nonce = nonce,
                      .now_us = base::now_us(),
                      .now = base::Clock::now(),
                      .has_stacks = *process_settings().status_stacks,
                      .groups = reports_of_server(supervision)});
}

Page page_in(request_rec* r, Supervision& supervision, StatusForm form,
             metrics::WorkerDetail detail) {
  switch (form) {
    case StatusForm::page:
      return {kHtmlType, html_page(r, supervision)};
    case StatusForm::prometheus:
      return {metrics::kPrometheusType,
              metrics::prometheus_text(figures_of_server(supervision, detail))};
    case StatusForm::openmetrics:
      return {metrics::kOpenMetricsType,
              metrics::openmetrics_text(figures_of_server(supervision, detail))};
    case StatusForm::json:
      break;
  }
  return {metrics::kJsonType, json_page(supervision, detail)};
}

// What `?stacks=` names; decoded as far as it can be.
std::string decoded(request_rec* r, std::string_view text) {
  char* name = apr_pstrmemdup(r->pool, text.data(), text.size());
  return ap_unescape_urlencoded(name) == OK ? name : std::string(text);
}

int send_stacks(request_rec* r, std::string_view group) {
  constexpr char kTextType[] = "text/plain; charset=utf-8";
  if (!*process_settings().status_stacks) {
    r->status = HTTP_NOT_FOUND;
    send_text(r, kTextType, "Stacks are shown where WSGIStatusStacks is On.\n");
    return OK;
  }
  const auto stacks = stacks_text(decoded(r, group));
  if (!stacks) r->status = HTTP_SERVICE_UNAVAILABLE;
  send_text(r, kTextType, stacks ? *stacks : base::printable(stacks.error().sentence) + "\n");
  return OK;
}

}  // namespace

int answer_status(request_rec* r, Supervision& supervision) {
  if (view_or_empty(r->handler) != kStatusHandler) return DECLINED;
  if (const int refusal = refusal_of(r); refusal != OK) return refusal;
  const std::string_view query = view_or_empty(r->args);
  if (const auto group = value_in(query, "stacks"); !group.empty()) return send_stacks(r, group);
  const auto detail = wants_workers(query) ? metrics::WorkerDetail::on : metrics::WorkerDetail::off;
  const StatusForm form =
      status_form_of(query, view_or_empty(apr_table_get(r->headers_in, "Accept")));
  // One URL has several forms.
  apr_table_mergen(r->headers_out, "Vary", "Accept");
  const Page page = page_in(r, supervision, form, detail);
  send_text(r, page.type, page.text);
  return OK;
}

}  // namespace pyhost::apache

#include "apache/log_levels.h"

#include <algorithm>

#include "apache/config/config.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;

LogLevel as_ours(int httpd_level) noexcept {
  return static_cast<LogLevel>(std::min(httpd_level, static_cast<int>(LogLevel::trace)));
}

bool names_module(const ap_logconf& log) noexcept {
  return log.module_levels != nullptr && log.module_levels[APLOG_MODULE_INDEX] >= 0;
}

// Without what keep_what_is_printed() has changed.
int level_of(const server_rec* s) noexcept {
  const auto& raised = server_config(ap_server_conf).raised_levels;
  const bool is_raised = std::ranges::find(raised, s) != raised.end();
  return is_raised ? s->log.level : ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX);
}

// Null where the request's LogLevel is that of its server.
const ap_logconf* log_of_section(const request_rec* r) noexcept {
  const conn_rec* c = r->connection;
  const ap_logconf* log = r->log != nullptr ? r->log : c->log;
  return log == &r->server->log || log == &c->base_server->log ? nullptr : log;
}

// httpd keeps notices whatever LogLevel says.
bool is_kept(LogLevel level, int threshold) noexcept {
  return level <= LogLevel::notice || static_cast<int>(level) <= threshold;
}

}  // namespace

bool keeps(const server_rec* s, LogLevel level) noexcept {
  return is_kept(level, level_of(s));
}

bool keeps(const request_rec* r, LogLevel level) noexcept {
  const ap_logconf* own = log_of_section(r);
  if (own == nullptr) return keeps(r->server, level);
  if (names_module(*own)) return is_kept(level, own->module_levels[APLOG_MODULE_INDEX]);
  return own->level >= 0 ? is_kept(level, own->level) : keeps(r->server, level);
}

void keep_what_is_printed(server_rec* main_server) {
  auto& raised = server_config(main_server).raised_levels;
  raised.clear();
  // Servers may share what they have of this, so all are looked at first.
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!names_module(s->log) && s->log.level < APLOG_INFO) raised.push_back(s);
  }
  for (const server_rec* s : raised) {
    ap_set_module_loglevel(main_server->process->pconf, &const_cast<server_rec*>(s)->log,
                           APLOG_MODULE_INDEX, APLOG_INFO);
  }
}

base::LogRules log_rules_of(const server_rec* s) {
  const int printed = ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX);
  const bool as_json = process_settings().logging->is_json();
  return {.level = as_ours(level_of(s)),
          .printed = as_ours(printed),
          .form = as_json ? base::LogForm::json : base::LogForm::lines,
          .group = {}};
}

}  // namespace pyhost::apache

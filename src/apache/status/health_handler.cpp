#include "apache/status/health_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "apache/config/config.h"
#include "apache/config/process_groups.h"
#include "apache/pool.h"
#include "apache/status/status_access.h"
#include "apache/status/status_form.h"
#include "base/printable.h"
#include "metrics/health.h"
#include "settings/global_name.h"

namespace pyhost::apache {
namespace {

constexpr char kRetryAfter[] = "5";  // seconds
constexpr char kTextType[] = "text/plain; charset=utf-8";

// Of one of them: its name, and whether it serves.
struct GroupHealth {
  std::string group;
  metrics::Health health;
};

// "" for all.
std::string wanted_group(request_rec* r) {
  const std::string_view asked = value_in(view_or_empty(r->args), "group");
  if (!asked.empty()) {
    char* name = apr_pstrmemdup(r->pool, asked.data(), asked.size());
    // What cannot be decoded is no group's name.
    return ap_unescape_urlencoded(name) == OK ? name : std::string(asked);
  }
  const auto settings = settings::inherit(directory_config(r->per_dir_config).request,
                                          server_config(r->server).request);
  const std::string_view configured = settings.process_group.value_or(settings::kGlobalName);
  // That is the default, and that httpd's own processes serve says the reply itself.
  return configured == settings::kGlobalName ? "" : std::string(configured);
}

metrics::Health health_of(const DaemonGroup& group, const Supervision& supervision) {
  const auto* board = supervision.scoreboard_or_null(group);
  if (board == nullptr) return {.serves = false, .text = "nothing is known of it"};
  const settings::ProcessGroup& options = group.options;
  return metrics::health_of(
      metrics::snapshot_of(*board, options.name, worker_count(options), places_of_worker(options)));
}

int send_all(request_rec* r, const std::vector<GroupHealth>& groups) {
  std::string text;
  for (const GroupHealth& group : groups) {
    text +=
        fmt::format("{}: {}\n", base::printable(group.group), base::printable(group.health.text));
  }
  if (groups.empty()) text = "serving\n";
  const bool all_serve =
      std::ranges::all_of(groups, [](const GroupHealth& group) { return group.health.serves; });
  if (!all_serve) {
    r->status = HTTP_SERVICE_UNAVAILABLE;
    apr_table_setn(r->err_headers_out, "Retry-After", kRetryAfter);
  }
  send_text(r, kTextType, text);
  return OK;
}

}  // namespace

int answer_health(request_rec* r, const Supervision& supervision) {
  if (view_or_empty(r->handler) != kHealthHandler) return DECLINED;
  if (const int refusal = refusal_of(r); refusal != OK) return refusal;
  const std::string wanted = wanted_group(r);
  std::vector<GroupHealth> groups;
  // That this answers is what httpd's own processes can say of themselves.
  if (wanted == settings::kGlobalName) return send_all(r, groups);
  for (const DaemonGroup* each : all_process_groups()) {
    const std::string& name = each->options.name;
    if (wanted.empty() || wanted == name) {
      groups.push_back({name, health_of(*each, supervision)});
    }
  }
  if (!wanted.empty() && groups.empty()) {
    r->status = HTTP_NOT_FOUND;
    send_text(r, kTextType, describe_unknown_group(wanted) + "\n");
    return OK;
  }
  return send_all(r, groups);
}

}  // namespace pyhost::apache

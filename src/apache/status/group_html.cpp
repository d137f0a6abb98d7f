#include "apache/status/group_html.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "apache/status/group_tables.h"
#include "base/time_text.h"
#include "metrics/quantile.h"
#include "pyhost/gateway/failure_cause.h"

namespace pyhost::apache {
namespace {

using gateway::FailureCause;
using gateway::FailureKind;
using metrics::GroupReport;
using metrics::GroupState;
using metrics::ScriptStatus;
using Times = scoreboard::Durations<std::uint64_t>;

Times times_of(const GroupReport& group) {
  Times all = group.sums.others.durations;
  for (const auto& application : group.sums.applications) {
    metrics::add_values(all, application.totals.durations);
  }
  return all;
}

std::uint64_t number_in(const Times& times) {
  return std::accumulate(std::begin(times.buckets), std::end(times.buckets), std::uint64_t{0});
}

// What the server's clients have not had; those that have left are none.
std::uint64_t failures_of(const GroupReport& group) {
  std::uint64_t number = 0;
  for (std::size_t i = 1; i < gateway::kFailureCauses; ++i) {
    if (kind_of(FailureCause(i)) != FailureKind::abort) number += group.sums.requests.failures[i];
  }
  return number;
}

unsigned busy_threads_of(const GroupReport& group) {
  const auto add_busy = [](unsigned sum, const scoreboard::SlotStatus& worker) {
    const bool lives =
        worker.state != scoreboard::SlotState::empty && worker.state != scoreboard::SlotState::dead;
    return lives ? sum + worker.busy() : sum;
  };
  if (group.is_embedded()) return static_cast<unsigned>(group.snapshot.running.size());
  const auto& workers = group.snapshot.workers;
  unsigned busy = std::accumulate(workers.begin(), workers.end(), 0u, add_busy);
  for (const auto& keeper : group.snapshot.keepers) busy = add_busy(busy, keeper.worker);
  return busy;
}

// Whether what its workers have is not a thread each.
bool has_loops(const GroupReport& group) noexcept {
  return !group.is_embedded() && metrics::places_of_worker(group.snapshot) > group.own_threads;
}

// --- What is broken ---

std::string since_text(std::int64_t since_us, const Moment& now) {
  if (since_us == 0) return "";
  return fmt::format(", for {}", base::time_text(now.seconds_since(since_us)));
}

void put_trouble(Html& html, bool is_bad, std::string_view sentence, std::string_view reason) {
  html.put("<div class=\"trouble{}\"><p>{}</p>", is_bad ? " bad" : "", sentence);
  if (!reason.empty()) html.put("<pre>{}</pre>", html_text(reason));
  html.put("</div>\n");
}

void put_script(Html& html, const ScriptStatus& script, const Moment& now) {
  const bool is_broken = script.state == ScriptStatus::State::broken;
  const std::string where =
      script.application_group.empty()
          ? ""
          : fmt::format(" in application group {}", html_text(script.application_group));
  put_trouble(html, is_broken,
              fmt::format("<b>{}</b>{} {}{}", html_text(script.script), where,
                          is_broken ? "cannot be imported, and nothing is served of it"
                                    : "cannot be imported; the version of before is served",
                          since_text(script.since_us, now)),
              script.reason);
}

void put_troubles(Html& html, const GroupReport& group, const Moment& now) {
  const auto& snapshot = group.snapshot;
  const GroupState state = group.state();
  const auto is_told = [&](const ScriptStatus& script) {
    return script.state != ScriptStatus::State::current && script.reason == snapshot.reason;
  };
  if (!snapshot.reason.empty() && std::ranges::none_of(snapshot.scripts, is_told)) {
    const bool serves = state == GroupState::degraded;
    put_trouble(html, !serves,
                serves ? "A new worker could not start; those of before go on."
                       : "A worker could not start.",
                snapshot.reason);
  }
  for (const ScriptStatus& script : snapshot.scripts) {
    if (script.state != ScriptStatus::State::current) put_script(html, script, now);
  }
  if (state == GroupState::stopped) {
    put_trouble(html, false, "An operator has stopped it; <code>pyhost start</code> starts it.",
                "");
  }
}

// --- Tiles ---

void put_latency(Html& html, const Times& times) {
  const auto text = [&times](double part) {
    const auto seconds = metrics::quantile(times, part);
    return seconds ? base::time_text(*seconds) : "–";
  };
  html.put(
      "<div class=\"tile\" data-spark=\"latency\"><dt>Latency, 95 % within</dt>"
      "<dd class=\"big\" data-live=\"p95\">{}</dd>"
      "<dd class=\"more\">p50 <span data-live=\"p50\">{}</span>, p99 "
      "<span data-live=\"p99\">{}</span>, <span data-live=\"latency-since\">since the start</span>"
      "</dd></div>\n",
      text(0.95), text(0.5), text(0.99));
}

void put_queue(Html& html, const GroupReport& group) {
  const auto& snapshot = group.snapshot;
  const auto wait = metrics::quantile(group.sums.requests.waits, 0.95);
  html.put(
      "<div class=\"tile{}\" data-spark=\"queued\"><dt>Waiting for a worker</dt>"
      "<dd class=\"big\">{} <small>of {}</small></dd>"
      "<dd class=\"more\">{} had to wait; 95 % within {}</dd></div>\n",
      group.queue != 0 && snapshot.waiting >= group.queue ? " alarm" : "",
      count_text(snapshot.waiting), count_text(group.queue), count_text(group.sums.requests.waited),
      wait ? base::time_text(*wait) : "–");
}

void put_deploys(Html& html, const GroupReport& group) {
  const auto& workers = group.sums.workers;
  const auto sum = [](const auto& numbers) {
    return std::accumulate(std::begin(numbers), std::end(numbers), std::uint64_t{0});
  };
  const std::uint64_t ends = sum(workers.ends);
  html.put(
      "<div class=\"tile\"><dt>Deploys</dt><dd class=\"big\">{} <small>good, {} broken</small></dd>"
      "<dd class=\"more\">workers: {} started, {} broke down; {} of memory, {} of CPU time</dd>"
      "</div>\n",
      count_text(workers.deploys[static_cast<std::size_t>(scoreboard::DeployResult::ok)]),
      count_text(workers.deploys[static_cast<std::size_t>(scoreboard::DeployResult::broken)]),
      count_text(sum(workers.starts)), count_text(ends - workers.ends[0]),
      bytes_text(workers.resident_bytes),
      base::time_text(metrics::in_seconds(workers.user_us + workers.system_us)));
}

// One error in so many requests stands out.
constexpr std::uint64_t kAlarming = 100;

void put_tiles(Html& html, const GroupReport& group, const Times& times) {
  const std::uint64_t requests = number_in(times), failures = failures_of(group);
  const unsigned busy = busy_threads_of(group);
  html.put("<dl class=\"tiles\">\n");
  html.put(
      "<div class=\"tile\" data-spark=\"requests\"><dt>Requests</dt><dd class=\"big\">"
      "<span data-live=\"requests\">{0}</span> <small data-live=\"requests-unit\"></small></dd>"
      "<dd class=\"more\" data-live=\"requests-since\" data-total=\"{0}\">since the "
      "start</dd></div>\n",
      count_text(requests));
  put_latency(html, times);
  html.put(
      "<div class=\"tile{}\" data-spark=\"busy\"><dt>{}</dt>"
      "<dd class=\"big\">{} <small>of {}</small></dd>"
      "<dd class=\"more\">{}{} of work since the start</dd></div>\n",
      group.threads != 0 && busy >= group.threads ? " alarm" : "",
      has_loops(group) ? "Connections" : "Threads busy", count_text(busy),
      count_text(group.threads),
      group.sockets != 0 ? count_text(group.sockets) + " WebSockets; " : "",
      base::time_text(metrics::in_seconds(group.sums.requests.busy_us)));
  if (!group.is_embedded()) put_queue(html, group);
  html.put(
      "<div class=\"tile{}\" data-spark=\"errors\"><dt>Errors</dt><dd class=\"big\">{}</dd>"
      "<dd class=\"more\">{:.2f} % of all requests</dd></div>\n",
      failures * kAlarming >= requests && failures != 0 ? " alarm" : "", count_text(failures),
      requests == 0 ? 0.0 : 100.0 * static_cast<double>(failures) / static_cast<double>(requests));
  if (!group.is_embedded()) put_deploys(html, group);
  html.put("</dl>\n");
}

// --- Errors ---

void put_causes(Html& html, const GroupReport& group) {
  const auto& failures = group.sums.requests.failures;
  if (std::accumulate(std::begin(failures), std::end(failures), std::uint64_t{0}) == 0) return;
  html.put("<h3>Errors by cause <small>since the start</small></h3>\n<ul class=\"causes\">\n");
  for (std::size_t i = 1; i < gateway::kFailureCauses; ++i) {
    if (failures[i] == 0) continue;
    const auto cause = FailureCause(i);
    const bool left = kind_of(cause) == FailureKind::abort;
    html.put("<li class=\"{}\" title=\"{}\">{}{} <b>{}</b></li>\n", left ? "" : "bad",
             html_text(meaning_of(cause)), left ? "client left: " : "", name_of(cause),
             count_text(failures[i]));
  }
  html.put("</ul>\n");
}

// What the script computes with.
void put_data(Html& html, const GroupReport& group, const Times& times) {
  std::vector<double> bounds;
  bounds.reserve(scoreboard::kDurationBoundsUs.size());
  for (const std::uint64_t us : scoreboard::kDurationBoundsUs) {
    bounds.push_back(metrics::in_seconds(us));
  }
  html.put(
      " data-group=\"{}\" data-requests=\"{}\" data-errors=\"{}\" data-busy=\"{}\" "
      "data-queued=\"{}\" data-bounds=\"{}\" data-buckets=\"{}\"",
      html_text(group.name()), number_in(times), failures_of(group), busy_threads_of(group),
      group.snapshot.waiting, fmt::join(bounds, ","), fmt::join(times.buckets, ","));
}

}  // namespace

std::string_view style_of(GroupState state) noexcept {
  switch (state) {
    case GroupState::serving:
      return "good";
    case GroupState::degraded:
      return "warn";
    case GroupState::failing:
      return "bad";
    case GroupState::starting:
      return "warn";
    case GroupState::stopped:
      break;
  }
  return "";
}

void put_group(Html& html, const GroupReport& group, std::size_t number, const Moment& now,
               Stacks stacks) {
  const Times times = times_of(group);
  const GroupState state = group.state();
  html.put("<section class=\"group\" id=\"group-{}\"", number);
  put_data(html, group, times);
  html.put(">\n<h2>{} <span class=\"state {}\">{}</span> <small>{}</small></h2>\n",
           html_text(group.is_embedded() ? "httpd’s own processes" : group.name()), style_of(state),
           name_of(state),
           group.is_embedded() ? "%{GLOBAL}"
                               : fmt::format("{} × {} {}", group.snapshot.workers.size(),
                                             metrics::places_of_worker(group.snapshot),
                                             has_loops(group) ? "connections" : "threads"));
  put_troubles(html, group, now);
  put_tiles(html, group, times);
  put_causes(html, group);
  put_running(html, group, now);
  if (!group.is_embedded()) put_workers(html, group, now, stacks);
  put_applications(html, group);
  html.put("</section>\n");
}

}  // namespace pyhost::apache

#include "apache/status/group_tables.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>

#include "base/time_text.h"
#include "metrics/quantile.h"

namespace pyhost::apache {
namespace {

using metrics::GroupReport;
using scoreboard::SlotState;
using scoreboard::SlotStatus;

// What a page shows of a crowd.
constexpr std::size_t kRunningMax = 100;
constexpr std::size_t kWorkersMax = 500;
// From here on a request that runs stands out.
constexpr double kLateSeconds = 10;

std::string or_dash(const std::optional<double>& seconds) {
  return seconds ? base::time_text(*seconds) : "–";
}

// --- Workers ---

struct Badge {
  std::string_view text;
  std::string_view style;
};

Badge badge_of(const SlotStatus& worker, bool is_keeper) {
  switch (worker.state) {
    case SlotState::ready:
      if (worker.silent) return {"silent", "bad"};
      return is_keeper ? Badge{"kept", "warn"} : Badge{"ready", "good"};
    case SlotState::dead:
      return {"dead", "bad"};
    default:
      return {name_of(worker.state), ""};
  }
}

std::string end_of(const SlotStatus& worker, const Moment& now) {
  const scoreboard::Death& death = worker.last_death;
  if (death.cause == scoreboard::DeathCause::none) return "<span class=\"soft\">–</span>";
  return fmt::format("<span>{} <span class=\"soft\">(start {}, {} ago)</span></span>",
                     html_text(scoreboard::describe(death)), death.generation,
                     base::time_text(now.seconds_since(death.time_us)));
}

void put_worker(Html& html, unsigned slot, const SlotStatus& worker, bool is_keeper,
                const Moment& now) {
  const bool lives = worker.state != SlotState::empty && worker.state != SlotState::dead;
  const Badge badge = badge_of(worker, is_keeper);
  const auto of_living = [lives](std::string text) { return lives ? std::move(text) : "–"; };
  html.put(
      "<tr><td data-label=\"Worker\">{}</td>"
      "<td data-label=\"State\"><span class=\"state {}\">{}</span></td>"
      "<td class=\"num\" data-label=\"PID\">{}</td>"
      "<td class=\"num\" data-label=\"Start\">{}</td>"
      "<td class=\"num\" data-label=\"Requests\">{}</td>"
      "<td class=\"num\" data-label=\"Busy\">{}</td>"
      "<td class=\"num\" data-label=\"Memory\">{}</td>"
      "<td class=\"num\" data-label=\"CPU time\">{}</td>"
      "<td class=\"wide\" data-label=\"Last death\">{}</td></tr>\n",
      slot, badge.style, badge.text, of_living(fmt::to_string(worker.pid)), worker.generation,
      of_living(count_text(worker.requests)),
      of_living(fmt::format("{} / {}", worker.busy(), worker.capacity)),
      of_living(worker.resident_bytes == 0 ? "–" : bytes_text(worker.resident_bytes)),
      of_living(fmt::format("{:.1f} s", metrics::in_seconds(worker.processor_us))),
      end_of(worker, now));
}

// --- Requests ---

std::string place_of(const scoreboard::RunningRequest& request, bool is_embedded) {
  if (request.slot) return fmt::format("worker {}", *request.slot);
  return is_embedded ? fmt::format("process {}", request.child) : "waits";
}

void put_request(Html& html, const scoreboard::RunningRequest& request, bool is_embedded,
                 const Moment& now) {
  const double age = std::max(base::seconds(now.clock - request.began), 0.0);
  html.put(
      "<tr><td data-label=\"Method\">{}</td><td class=\"code wide\" "
      "data-label=\"URL\"><span>{}</span>"
      "</td><td class=\"num{}\" data-label=\"For\">{}</td><td class=\"whole\" "
      "data-label=\"Where\">{}</td>"
      "<td class=\"code soft whole wide\" data-label=\"Request id\"><span>{}</span></td></tr>\n",
      html_text(request.method), html_text(request.path), age >= kLateSeconds ? " late" : "",
      base::time_text(age), place_of(request, is_embedded), html_text(request.id));
}

// --- Applications ---

void put_application(Html& html, std::string_view name,
                     const scoreboard::ApplicationTotals<std::uint64_t>& totals) {
  const auto number =
      std::accumulate(std::begin(totals.requests), std::end(totals.requests), std::uint64_t{0});
  if (number == 0) return;
  html.put(
      "<tr><td class=\"code wide\" data-label=\"Application group\"><span>{}</span></td>"
      "<td class=\"num\" data-label=\"Requests\">{}</td>"
      "<td class=\"num\" data-label=\"4xx\">{}</td><td class=\"num\" data-label=\"5xx\">{}</td>"
      "<td class=\"num\" data-label=\"p50\">{}</td><td class=\"num\" data-label=\"p95\">{}</td>"
      "<td class=\"num\" data-label=\"p99\">{}</td></tr>\n",
      html_text(name), count_text(number), count_text(totals.requests[3]),
      count_text(totals.requests[4]), or_dash(metrics::quantile(totals.durations, 0.5)),
      or_dash(metrics::quantile(totals.durations, 0.95)),
      or_dash(metrics::quantile(totals.durations, 0.99)));
}

}  // namespace

void put_running(Html& html, const GroupReport& group, const Moment& now) {
  const auto& running = group.snapshot.running;
  html.put("<h3>Running requests <small>{}</small></h3>\n", count_text(running.size()));
  if (running.empty()) return html.put("<p class=\"none\">None at this moment.</p>\n");
  html.put(
      "<table class=\"running\"><thead><tr><th>Method</th><th>URL</th><th class=\"num\">For</th>"
      "<th>Where</th><th>Request id</th></tr></thead><tbody>\n");
  const std::size_t shown = std::min(running.size(), kRunningMax);
  for (std::size_t i = 0; i < shown; ++i) {
    put_request(html, running[i], group.is_embedded(), now);
  }
  html.put("</tbody></table>\n");
  if (shown < running.size()) {
    html.put("<p class=\"none\">{} more, which have begun later.</p>\n",
             count_text(running.size() - shown));
  }
}

void put_workers(Html& html, const GroupReport& group, const Moment& now, Stacks stacks) {
  const auto& snapshot = group.snapshot;
  html.put("<h3>Workers <small>{}</small>", snapshot.workers.size());
  if (stacks == Stacks::linked) {
    html.put(" <a href=\"?stacks={}\">stacks</a>", url_text(snapshot.name));
  }
  html.put_as_it_is(
      "</h3>\n<table class=\"workers\"><thead><tr><th>Worker</th>"
      "<th>State</th><th class=\"num\">PID</th><th class=\"num\">Start</th>"
      "<th class=\"num\">Requests</th><th class=\"num\">Busy</th>"
      "<th class=\"num\">Memory</th><th class=\"num\">CPU time</th><th>Last death</th></tr></thead>"
      "<tbody>\n");
  const std::size_t shown = std::min(snapshot.workers.size(), kWorkersMax);
  for (unsigned slot = 0; slot < shown; ++slot) {
    put_worker(html, slot, snapshot.workers[slot], false, now);
    for (const auto& keeper : snapshot.keepers) {
      if (keeper.slot == slot) put_worker(html, slot, keeper.worker, true, now);
    }
  }
  html.put("</tbody></table>\n");
  if (shown < snapshot.workers.size()) {
    html.put("<p class=\"none\">{} more.</p>\n", count_text(snapshot.workers.size() - shown));
  }
}

void put_applications(Html& html, const GroupReport& group) {
  html.put("<h3>Applications <small>since the start</small></h3>\n");
  const auto has_any = [](const auto& totals) {
    return std::ranges::any_of(totals.requests, [](std::uint64_t each) { return each != 0; });
  };
  const bool any = has_any(group.sums.others) ||
                   std::ranges::any_of(group.sums.applications, [&](const auto& application) {
                     return has_any(application.totals);
                   });
  if (!any) return html.put("<p class=\"none\">No request is over yet.</p>\n");
  html.put(
      "<table class=\"applications\"><thead><tr><th>Application group</th>"
      "<th class=\"num\">Requests</th><th class=\"num\">4xx</th><th class=\"num\">5xx</th>"
      "<th class=\"num\">p50</th><th class=\"num\">p95</th><th class=\"num\">p99</th></tr></thead>"
      "<tbody>\n");
  for (const auto& application : group.sums.applications) {
    put_application(html, application.name.empty() ? "%{GLOBAL}" : application.name,
                    application.totals);
  }
  put_application(html, "other", group.sums.others);
  html.put("</tbody></table>\n");
}

}  // namespace pyhost::apache

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/printable.h"
#include "cli/status.h"
#include "control/status_answer.h"

namespace pyhost::cli {
namespace {

using base::printable;
using control::StatusAnswer;

std::string age_of(std::int64_t time_us, long long now_us) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const std::int64_t seconds = std::max<std::int64_t>(0, now_us - time_us) / 1'000'000;
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{} h", seconds / kHour);
  return fmt::format("{} days", seconds / kDay);
}

std::string last_death_of(const StatusAnswer::Worker& worker, long long now_us) {
  if (!worker.last_death) return "-";
  const StatusAnswer::Death& death = *worker.last_death;
  return fmt::format("generation {} {}, {} ago", death.generation, printable(death.description),
                     age_of(death.time_us, now_us));
}

// One that is kept beside the worker of its slot serves some scripts only.
std::string state_of(const StatusAnswer::Worker& worker) {
  const bool kept = worker.state == control::kReadyState && worker.role == control::kKeeperRole;
  return kept ? "kept" : printable(worker.state);
}

void append_worker(std::string& table, const StatusAnswer::Worker& worker, unsigned threads,
                   long long now_us) {
  fmt::format_to(std::back_inserter(table), "  {:>4}  {:<8}  {:>7}  {:>10}  {:>10}  {:>9}  {}\n",
                 worker.slot, state_of(worker), worker.pid == 0 ? "-" : fmt::to_string(worker.pid),
                 worker.generation, worker.requests,
                 fmt::format("{}/{}", worker.busy_threads, threads), last_death_of(worker, now_us));
}

void append_script(std::string& table, const StatusAnswer::Script& script, long long now_us) {
  const std::string group = printable(script.application_group);
  fmt::format_to(std::back_inserter(table), "  {}{}: ", printable(script.script),
                 group.empty() ? "" : fmt::format(" in application group {}", group));
  const std::string slots = fmt::format("{}", fmt::join(script.slots, ", "));
  const std::string age = age_of(script.since_us.value_or(0), now_us);
  const std::string reason = printable(script.reason.value_or(""));
  if (script.state == control::kKeptScript) {
    fmt::format_to(std::back_inserter(table), "the version of before, for {}, in slots {}; {}\n",
                   age, slots, reason);
  } else if (script.state == control::kBrokenScript) {
    fmt::format_to(std::back_inserter(table), "none, for {}; {}\n", age, reason);
  } else {
    fmt::format_to(std::back_inserter(table), "{}, in slots {}\n", printable(script.state), slots);
  }
}

// Which version of each script is served, while that is not the current one for all of them.
void append_scripts(std::string& table, const StatusAnswer::Group& group, long long now_us) {
  const auto is_current = [](const StatusAnswer::Script& script) {
    return script.state == control::kCurrentScript;
  };
  if (std::ranges::all_of(group.scripts, is_current)) return;
  table += "  served versions of scripts\n";
  for (const StatusAnswer::Script& script : group.scripts) append_script(table, script, now_us);
}

// What stands before the groups when they are not those of the configuration on disk.
std::string refusal_in(const StatusAnswer& status, long long now_us) {
  if (!status.refused) return "";
  return fmt::format(
      "The configuration that httpd read {} ago was refused; what runs is that of before:\n  "
      "{}\n\n",
      age_of(status.refused->since_us, now_us), printable(status.refused->reason));
}

std::string table_of(const StatusAnswer::Group& group, const ActivityLines& activities,
                     long long now_us) {
  std::string table =
      fmt::format("process group {}: {}", printable(group.name), printable(group.state));
  if (group.waiting != 0) table += fmt::format(", {} requests wait for a worker", group.waiting);
  table += '\n';
  if (group.reason && !group.reason->empty()) {
    table += fmt::format("  {}\n", printable(*group.reason));
  }
  if (const auto activity = activities.find(group.name); activity != activities.end()) {
    table += fmt::format("  {}\n", activity->second);
  }
  table += "  slot  state         pid  generation    requests       busy  last death\n";
  for (const StatusAnswer::Worker& worker : group.workers) {
    append_worker(table, worker, group.threads, now_us);
  }
  append_scripts(table, group, now_us);
  return table;
}

}  // namespace

base::Result<std::string> status_table(std::string_view answer, const ActivityLines& activities,
                                       long long now_us) {
  PH_TRY(status, control::parse_status_answer(answer));
  std::string text;
  for (const StatusAnswer::Group& group : status.groups) {
    if (!text.empty()) text += '\n';
    text += table_of(group, activities, now_us);
  }
  if (text.empty()) text = "There are no process groups.\n";
  return refusal_in(status, now_us) + text;
}

}  // namespace pyhost::cli

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/printable.h"
#include "cli/operate.h"

namespace pyhost::cli {
namespace {

using Json = nlohmann::json;

// Members of an answer that may be of another build: what is missing or of another type is shown as
// its default.
std::uint64_t number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? base::printable(found->get<std::string>())
                                                     : "";
}

std::string age_of(std::uint64_t time_us, long long now_us) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const std::int64_t seconds =
      std::max<std::int64_t>(0, now_us - static_cast<std::int64_t>(time_us)) / 1'000'000;
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{} h", seconds / kHour);
  return fmt::format("{} days", seconds / kDay);
}

std::string last_death_of(const Json& worker, long long now_us) {
  const auto death = worker.find("last_death");
  if (death == worker.end() || !death->is_object()) return "-";
  return fmt::format("generation {} {}, {} ago", number_in(*death, "generation"),
                     text_in(*death, "description"), age_of(number_in(*death, "time_us"), now_us));
}

// One that is kept beside the worker of its slot serves some scripts only.
std::string state_of(const Json& worker) {
  const std::string state = text_in(worker, "state");
  return state == "ready" && text_in(worker, "role") == "keeper" ? "kept" : state;
}

void append_worker(std::string& table, const Json& worker, std::uint64_t threads,
                   long long now_us) {
  const std::uint64_t pid = number_in(worker, "pid");
  fmt::format_to(std::back_inserter(table), "  {:>4}  {:<8}  {:>7}  {:>10}  {:>10}  {:>9}  {}\n",
                 number_in(worker, "slot"), state_of(worker), pid == 0 ? "-" : fmt::to_string(pid),
                 number_in(worker, "generation"), number_in(worker, "requests"),
                 fmt::format("{}/{}", number_in(worker, "busy_threads"), threads),
                 last_death_of(worker, now_us));
}

std::string slots_of(const Json& script) {
  const auto slots = script.find("slots");
  std::string list;
  if (slots == script.end() || !slots->is_array()) return list;
  for (const Json& slot : *slots) {
    if (!slot.is_number_unsigned()) continue;
    fmt::format_to(std::back_inserter(list), "{}{}", list.empty() ? "" : ", ",
                   slot.get<std::uint64_t>());
  }
  return list;
}

void append_script(std::string& table, const Json& script, long long now_us) {
  const std::string group = text_in(script, "application_group");
  fmt::format_to(std::back_inserter(table), "  {}{}: ", text_in(script, "script"),
                 group.empty() ? "" : fmt::format(" in application group {}", group));
  const std::string state = text_in(script, "state");
  const std::string age = age_of(number_in(script, "since_us"), now_us);
  if (state == "kept") {
    fmt::format_to(std::back_inserter(table), "the version of before, for {}, in slots {}; {}\n",
                   age, slots_of(script), text_in(script, "reason"));
  } else if (state == "broken") {
    fmt::format_to(std::back_inserter(table), "none, for {}; {}\n", age, text_in(script, "reason"));
  } else {
    fmt::format_to(std::back_inserter(table), "{}, in slots {}\n", state, slots_of(script));
  }
}

// Which version of each script is served, while that is not the current one for all of them.
void append_scripts(std::string& table, const Json& group, long long now_us) {
  const auto scripts = group.find("scripts");
  if (scripts == group.end() || !scripts->is_array()) return;
  const auto is_current = [](const Json& script) {
    return !script.is_object() || text_in(script, "state") == "current";
  };
  if (std::ranges::all_of(*scripts, is_current)) return;
  table += "  served versions of scripts\n";
  for (const Json& script : *scripts) {
    if (script.is_object()) append_script(table, script, now_us);
  }
}

// What stands before the groups when they are not those of the configuration on disk.
std::string refusal_in(const Json& status, long long now_us) {
  const auto refused = status.find("refused");
  if (refused == status.end() || !refused->is_object()) return "";
  return fmt::format(
      "The configuration that httpd read {} ago was refused; what runs is that of before:\n  "
      "{}\n\n",
      age_of(number_in(*refused, "since_us"), now_us), text_in(*refused, "reason"));
}

std::optional<std::string> table_of(const Json& group, long long now_us) {
  const auto workers = group.find("workers");
  if (!group.is_object() || workers == group.end() || !workers->is_array()) return std::nullopt;
  std::string table =
      fmt::format("process group {}: {}", text_in(group, "name"), text_in(group, "state"));
  const std::uint64_t waiting = number_in(group, "waiting");
  if (waiting != 0) table += fmt::format(", {} requests wait for a worker", waiting);
  table += '\n';
  if (const std::string reason = text_in(group, "reason"); !reason.empty()) {
    table += fmt::format("  {}\n", reason);
  }
  table += "  slot  state         pid  generation    requests       busy  last death\n";
  const std::uint64_t threads = number_in(group, "threads");
  for (const Json& worker : *workers) {
    if (!worker.is_object()) return std::nullopt;
    append_worker(table, worker, threads, now_us);
  }
  append_scripts(table, group, now_us);
  return table;
}

}  // namespace

base::Result<std::string> status_table(std::string_view answer, long long now_us) {
  const auto incomprehensible = [] {
    return base::fail("the supervisor's answer is not understood; it may be of another version");
  };
  const Json json = Json::parse(answer, nullptr, false);
  const auto groups = json.find("groups");
  if (!json.is_object() || groups == json.end() || !groups->is_array()) return incomprehensible();
  std::string text;
  for (const Json& group : *groups) {
    const auto table = table_of(group, now_us);
    if (!table) return incomprehensible();
    if (!text.empty()) text += '\n';
    text += *table;
  }
  if (text.empty()) text = "There are no process groups.\n";
  return refusal_in(json, now_us) + text;
}

}  // namespace pyhost::cli

#include "apache/status_page.h"

#include <fmt/format.h>
#include <mod_status.h>

#include <string>

#include "apache/config/process_groups.h"
#include "scoreboard/board_rows.h"

namespace pyhost::apache {
namespace {

using scoreboard::SlotState;
using scoreboard::SlotStatus;

bool is_keeper(unsigned row) noexcept {
  return row % scoreboard::kRowsOfSlot != 0;
}

// Nobody stops, degrades or serves a group but the supervisor, which writes it down there.
std::string_view state_of(const scoreboard::Scoreboard& scoreboard, const DaemonGroup& group) {
  if (scoreboard.is_stopped()) return "stopped";
  bool serves = false;
  for (unsigned row = 0; row < scoreboard::row_of(worker_count(group.options)); ++row) {
    const SlotStatus worker = scoreboard.status(row);
    if (worker.kept_until_us != 0 && scoreboard.is_used(row)) return "degraded";
    if (is_keeper(row)) continue;
    if (worker.state == SlotState::ready && worker.lacks_scripts) return "degraded";
    serves = serves || worker.state == SlotState::ready;
  }
  return serves ? "serving" : "starting";
}

// Of a worker beside that of its slot, for scripts that this one could not import.
std::string_view state_of(unsigned row, const SlotStatus& worker) noexcept {
  const bool kept = is_keeper(row) && worker.state == SlotState::ready;
  return kept ? "kept" : name_of(worker.state);
}

std::string last_death_of(const SlotStatus& worker) {
  if (worker.last_death.cause == scoreboard::DeathCause::none) return "-";
  return fmt::format("generation {} {}", worker.last_death.generation, describe(worker.last_death));
}

// How the page's other tables are made, by mod_status.
class Page {
 public:
  Page(request_rec* r, int flags) noexcept : r_(r), flags_(flags) {}

  void begin() {
    if (!brief()) put("<hr />\n<h2>Python process groups</h2>\n");
  }
  void begin_group(const std::string& name, std::string_view state, unsigned waiting) {
    if (brief()) {
      put(fmt::format("ProcessGroup {0} State: {1}\nProcessGroup {0} Waiting: {2}\n", name, state,
                      waiting));
      return;
    }
    put(fmt::format("<p>{}: <b>{}</b>, {} requests wait for a worker</p>\n",
                    ap_escape_html(r_->pool, name.c_str()), state, waiting));
    put(tables() ? "<table border=\"0\"><tr><th>Slot</th><th>State</th><th>PID</th>"
                   "<th>Generation</th><th>Requests</th><th>Busy</th><th>Last death</th></tr>\n"
                 : "<ul>\n");
  }
  void add_worker(const std::string& group, unsigned row, const SlotStatus& worker) {
    const unsigned slot = row / scoreboard::kRowsOfSlot;
    const std::string_view state = state_of(row, worker);
    const std::string death = last_death_of(worker);
    if (brief()) {
      put(fmt::format("ProcessGroup {} Worker {}: ", group, slot));
    } else if (tables()) {
      put(
          fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}/{}</td>"
                      "<td>{}</td></tr>\n",
                      slot, state, worker.pid, worker.generation, worker.requests, worker.busy(),
                      worker.capacity, death));
      return;
    } else {
      put(fmt::format("<li>worker {}: ", slot));
    }
    put(fmt::format("{}, pid {}, generation {}, requests {}, busy {}/{}, last death: {}\n", state,
                    worker.pid, worker.generation, worker.requests, worker.busy(), worker.capacity,
                    death));
  }
  void end_group() {
    if (!brief()) put(tables() ? "</table>\n" : "</ul>\n");
  }

 private:
  bool brief() const noexcept { return (flags_ & AP_STATUS_SHORT) != 0; }
  bool tables() const noexcept { return (flags_ & AP_STATUS_NOTABLE) == 0; }
  void put(std::string_view text) { ap_rwrite(text.data(), static_cast<int>(text.size()), r_); }

  request_rec* const r_;
  const int flags_;
};

}  // namespace

void show_process_groups(request_rec* r, const Supervision& supervision, int flags) {
  if (all_process_groups().empty()) return;
  Page page(r, flags);
  page.begin();
  for (const DaemonGroup* group : all_process_groups()) {
    const scoreboard::Scoreboard* scoreboard = supervision.scoreboard_or_null(*group);
    if (scoreboard == nullptr) continue;
    const std::string& name = group->options.name;
    page.begin_group(name, state_of(*scoreboard, *group), scoreboard->waiting());
    for (unsigned row = 0; row < scoreboard::row_of(worker_count(group->options)); ++row) {
      if (is_keeper(row) && !scoreboard->is_used(row)) continue;
      page.add_worker(name, row, scoreboard->status(row));
    }
    page.end_group();
  }
}

}  // namespace pyhost::apache

#include "apache/status_page.h"

#include <fmt/format.h>
#include <mod_status.h>

#include <string>

#include "apache/config/process_groups.h"
#include "metrics/group_snapshot.h"

namespace pyhost::apache {
namespace {

using scoreboard::SlotState;
using scoreboard::SlotStatus;

enum class Role { worker, keeper };

// A keeper is a worker beside that of its slot, for scripts that this one could not import.
std::string_view state_of(const SlotStatus& worker, Role role) noexcept {
  const bool kept = role == Role::keeper && worker.state == SlotState::ready;
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
  void add_worker(const std::string& group, unsigned slot, const SlotStatus& worker, Role role) {
    const std::string_view state = state_of(worker, role);
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
    const settings::ProcessGroup& options = group->options;
    const metrics::GroupSnapshot snapshot = metrics::snapshot_of(
        *scoreboard, options.name, worker_count(options), places_of_worker(options));
    page.begin_group(options.name, name_of(state_of(snapshot)), snapshot.waiting);
    for (unsigned slot = 0; slot < snapshot.workers.size(); ++slot) {
      page.add_worker(options.name, slot, snapshot.workers[slot], Role::worker);
      for (const auto& keeper : snapshot.keepers) {
        if (keeper.slot == slot) {
          page.add_worker(options.name, slot, keeper.worker, Role::keeper);
        }
      }
    }
    page.end_group();
  }
}

}  // namespace pyhost::apache

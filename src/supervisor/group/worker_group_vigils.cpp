// Workers of the group that do not serve any more, although they have not ended.
#include <fmt/format.h>

#include "supervisor/group/worker_group.h"

namespace pyhost::supervisor {

bool WorkerGroup::look_after_workers() {
  // In the queue for longer than the requests before it should take.
  constexpr unsigned kLooksOfWaiting = 4;
  const bool waits = setup_.scoreboard->waiting() != 0;
  looks_at_waiting_ = waits ? looks_at_waiting_ + 1 : 0;
  bool anything = waits;
  for (const auto& [pid, worker] : workers_) {
    const scoreboard::SlotStatus seen = setup_.scoreboard->status(row_of_worker(pid, worker));
    if (seen.generation != worker.generation || seen.state != scoreboard::SlotState::ready) {
      vigils_.forget(pid);
      continue;
    }
    const WorkerSight sight{.silent = seen.silent,
                            .wanted = waits && looks_at_waiting_ % kLooksOfWaiting == 0,
                            .has_thread = seen.running < seen.capacity};
    const bool is_keeper = keepers_.find_or_null(pid) != nullptr;
    const launch::ListeningSocket& socket = is_keeper ? *worker.kept_socket : sockets_[worker.slot];
    const bool in_doubt = vigils_.look({pid, worker.status.fd(), socket.path()}, sight);
    anything = anything || in_doubt || seen.outstanding != 0;
  }
  return anything;
}

void WorkerGroup::heed(pid_t pid, Vigils::Finding finding) {
  Worker& worker = workers_.at(pid);
  const bool is_keeper = keepers_.find_or_null(pid) != nullptr;
  if (finding == Vigils::Finding::serves) {
    const unsigned row = row_of_worker(pid, worker);
    return setup_.scoreboard->note_sign_of_life(row, worker.generation);
  }
  if (is_keeper) {
    keepers_.end(pid);
  } else {
    life_.slot(worker.slot).relieve(pid);
  }
  worker.leaving = control::EndReason::silence;
  const double seconds = std::chrono::duration<double>(Vigil::kPatience).count();
  const std::string what =
      finding == Vigils::Finding::not_running
          ? fmt::format("has not run for {:g} s, in which it was asked whether it does", seconds)
          : fmt::format("runs, but has accepted no connection for {:g} s", seconds);
  setup_.log->log(base::LogLevel::error, base::Message::generation_silent,
                  fmt::format("{} {}; it is {}", label(worker.slot, worker.generation, pid), what,
                              is_keeper ? "ended" : "replaced"));
}

}  // namespace pyhost::supervisor

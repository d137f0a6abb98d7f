#include "supervisor/group/vigils.h"

#include "control/worker_orders.h"

namespace pyhost::supervisor {

using OrderKind = control::WorkerOrder::Kind;

bool Vigils::look(const Worker& worker, const WorkerSight& sight) {
  auto found = watched_.find(worker.pid);
  if (found == watched_.end()) {
    if (!sight.silent && !sight.wanted) return false;
    found = watched_.try_emplace(worker.pid).first;
  }
  Watched& watched = found->second;
  watched.worker = worker;
  watched.sight = sight;
  const Vigil::Need need = watched.vigil.look(sight);
  if (!watched.vigil.kept()) {
    conclude(worker.pid, Finding::serves);
    return false;
  }
  satisfy(watched, need);
  return true;
}

void Vigils::satisfy(Watched& watched, Vigil::Need need) {
  const pid_t pid = watched.worker.pid;
  switch (need) {
    case Vigil::Need::nothing:
      break;
    case Vigil::Need::answer:
      watched.asked =
          watched.asked || control::send_order(watched.worker.status_socket, OrderKind::show_life);
      break;
    case Vigil::Need::greeting:
      if (watched.probe && watched.probe->pending()) break;
      watched.probe = std::make_unique<Probe>(loop_, watched.worker.socket_path, pid,
                                              [this, pid] { greeted(pid); });
      break;
    case Vigil::Need::not_running:
      report_(pid, Finding::not_running);
      break;
    case Vigil::Need::not_accepting:
      watched.probe.reset();
      report_(pid, Finding::not_accepting);
      break;
  }
}

void Vigils::heard(pid_t worker) {
  const auto found = watched_.find(worker);
  if (found == watched_.end()) return;
  const Vigil::Need need = found->second.vigil.answered(found->second.sight);
  if (!found->second.vigil.kept()) return conclude(worker, Finding::serves);
  satisfy(found->second, need);
}

void Vigils::greeted(pid_t worker) {
  const auto found = watched_.find(worker);
  if (found == watched_.end()) return;
  found->second.vigil.greeted();
  if (!found->second.vigil.kept()) conclude(worker, Finding::serves);
}

void Vigils::conclude(pid_t worker, Finding finding) {
  watched_.erase(worker);
  report_(worker, finding);
}

}  // namespace pyhost::supervisor

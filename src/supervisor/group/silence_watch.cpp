#include "supervisor/group/silence_watch.h"

#include <fmt/format.h>

#include <utility>

namespace pyhost::supervisor {

std::string describe(Vigils::Finding finding) {
  const double seconds = base::seconds(Vigil::kPatience);
  return finding == Vigils::Finding::not_running
             ? fmt::format("has not run for {:g} s, in which it was asked whether it does", seconds)
             : fmt::format("runs, but has accepted no connection for {:g} s", seconds);
}

SilenceWatch::SilenceWatch(os::EventLoop& loop, const GroupParts& parts, const KeptWorkers& kept,
                           std::function<void(LivingWorker&, Vigils::Finding)> on_silent)
    : parts_(parts),
      kept_(kept),
      on_silent_(std::move(on_silent)),
      vigils_(loop, [this](pid_t pid, Vigils::Finding finding) { heed(pid, finding); }) {}

bool SilenceWatch::look() {
  // In the queue for longer than the requests before it should take.
  constexpr unsigned kLooksOfWaiting = 4;
  const bool waits = parts_.board().waiting() != 0;
  looks_at_waiting_ = waits ? looks_at_waiting_ + 1 : 0;
  const bool wanted = waits && looks_at_waiting_ % kLooksOfWaiting == 0;
  bool anything = waits;
  parts_.workers.for_each(
      [&](const LivingWorker& worker) { anything = look_at(worker, wanted) || anything; });
  return anything;
}

bool SilenceWatch::look_at(const LivingWorker& worker, bool wanted) {
  const scoreboard::SlotStatus seen = parts_.board().status(kept_.row_of(worker));
  if (seen.generation != worker.place.generation || seen.state != SlotState::ready) {
    vigils_.forget(worker.pid);
    return false;
  }
  const WorkerSight sight{
      .silent = seen.silent, .wanted = wanted, .has_thread = seen.running < seen.capacity};
  const bool in_doubt =
      vigils_.look({worker.pid, worker.status.fd(), kept_.socket_path_of(worker)}, sight);
  return in_doubt || seen.outstanding != 0;
}

void SilenceWatch::heed(pid_t pid, Vigils::Finding finding) {
  LivingWorker& worker = parts_.workers.at(pid);
  if (finding != Vigils::Finding::serves) return on_silent_(worker, finding);
  parts_.board().note_sign_of_life(kept_.row_of(worker), worker.place.generation);
}

}  // namespace pyhost::supervisor

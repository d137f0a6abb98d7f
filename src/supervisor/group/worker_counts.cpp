#include "supervisor/group/worker_counts.h"

namespace pyhost::supervisor {

using scoreboard::add;
using scoreboard::Death;
using scoreboard::DeathCause;

void WorkerCounts::started(unsigned slot) {
  add(totals().starts[static_cast<std::size_t>(reasons_.take(slot))], 1);
}

void WorkerCounts::ready(const LivingWorker& worker) {
  observe(totals().start_durations, base::Clock::now() - worker.started);
}

void WorkerCounts::ended(const LivingWorker& worker, const Death& death, const rusage& usage) {
  const DeathCause cause = is_orderly(death) ? DeathCause::none : death.cause;
  add(totals().ends[static_cast<std::size_t>(cause)], 1);
  if (cause == DeathCause::signalled && death.detail > 0 &&
      static_cast<std::size_t>(death.detail) < scoreboard::kSignals) {
    add(totals().ends_by_signal[static_cast<std::size_t>(death.detail)], 1);
  }
  ProcessorTime counted = worker.processor_time;
  take_up(counted, processor_time_of(usage));
}

void WorkerCounts::deployed(scoreboard::DeployResult result) {
  add(totals().deploys[static_cast<std::size_t>(result)], 1);
}

// What it has used since it was last looked at; the clock of /proc is the coarser one, and behind.
void WorkerCounts::take_up(ProcessorTime& counted, const ProcessorTime& used) const {
  for (const auto& [from, part, total] :
       {std::tuple(&counted.user_us, used.user_us, &totals().user_us),
        std::tuple(&counted.system_us, used.system_us, &totals().system_us)}) {
    if (part <= *from) continue;
    add(*total, part - *from);
    *from = part;
  }
}

void WorkerCounts::look(base::TimePoint now) {
  if (look_at_ && now < *look_at_) return;
  look_at_ = now + kBetweenLooks;
  const bool looks_for_shared = looks_++ % kLooksForShared == 0;
  std::uint64_t resident = 0, proportional = 0;
  workers_.for_each([&](LivingWorker& worker) {
    if (const auto used = processor_time_of(worker.pid)) take_up(worker.processor_time, *used);
    const std::uint64_t bytes = resident_bytes_of(worker.pid).value_or(0);
    resident += bytes;
    const ProcessorTime& time = worker.processor_time;
    setup_.scoreboard->note_usage(worker.place.slot, worker.pid, bytes,
                                  time.user_us + time.system_us);
    if (looks_for_shared) proportional += proportional_bytes_of(worker.pid).value_or(0);
  });
  totals().resident_bytes.store(resident, std::memory_order_relaxed);
  if (looks_for_shared) totals().proportional_bytes.store(proportional, std::memory_order_relaxed);
}

}  // namespace pyhost::supervisor

#include "supervisor/group/slot_rows.h"

#include <utility>

#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {

void SlotRows::take_over(LivingWorker& worker) const noexcept {
  if (std::exchange(worker.recorded, true)) return;
  setup_.scoreboard->begin_generation(scoreboard::row_of(worker.place.slot), worker.pid,
                                      worker.place.generation, worker.threads, worker.place.report,
                                      places_max_of_worker(setup_.options()));
}

void SlotRows::record(unsigned slot) const noexcept {
  if (slot >= life_.slots()) return;  // only a keeper of it was left
  setup_.scoreboard->set_state(scoreboard::row_of(slot), life_.slot(slot).state());
}

}  // namespace pyhost::supervisor

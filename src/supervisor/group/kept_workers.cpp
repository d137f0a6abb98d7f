#include "supervisor/group/kept_workers.h"

#include <signal.h>

#include "control/worker_orders.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {

using scoreboard::keeper_row;

unsigned KeptWorkers::row_of(const LivingWorker& worker) const noexcept {
  const Keepers::Keeper* keeper = keepers_.find_or_null(worker.pid);
  return keeper != nullptr ? keeper_row(keeper->slot, keeper->place)
                           : scoreboard::row_of(worker.place.slot);
}

const std::string& KeptWorkers::socket_path_of(const LivingWorker& worker) const {
  return has(worker.pid) ? worker.kept_socket->path() : parts_.sockets.of(worker.place.slot).path();
}

void KeptWorkers::adopt() {
  const settings::ProcessGroup& options = parts_.setup.options();
  const unsigned slots = worker_count(options);
  keepers_.for_each([&](pid_t pid, const Keepers::Keeper& keeper) {
    if (keeper.slot >= slots || !options.reload_fallback) keepers_.end(pid);
  });
  for (unsigned slot = 0; slot < slots; ++slot) {
    for (unsigned place = 0; place < scoreboard::kKeepersOfSlot; ++place) {
      if (keepers_.takes(slot, place)) continue;
      parts_.board().set_state(keeper_row(slot, place), SlotState::empty);
    }
  }
}

bool KeptWorkers::ask(const ScriptKeys& scripts, const LivingWorker& successor) {
  const unsigned slot = successor.place.slot;
  LivingWorker& worker = *parts_.serving_or_null(slot);
  const unsigned place = *keepers_.free_place(slot);
  const unsigned row = keeper_row(slot, place);
  auto socket = parts_.sockets.open_beside(slot, row, parts_.setup.wanted);
  if (!socket) {
    parts_.log.stuck(socket.error().sentence);
    return false;
  }
  parts_.board().begin_generation(row, worker.pid, worker.place.generation, worker.threads, 0);
  parts_.board().keep_generation(row, successor.started_us);
  const std::string text =
      to_json(control::KeepOrder{.slot = row, .scripts = {scripts.begin(), scripts.end()}});
  const auto told =
      control::send_order(worker.status.fd(), control::WorkerOrder::Kind::keep, text, socket->fd());
  if (!told) {
    parts_.board().set_state(row, SlotState::empty);
    parts_.log.stuck(told.error().sentence);
    return false;
  }
  worker.kept_socket = *std::move(socket);
  keepers_.ask(worker.pid,
               {.slot = slot,
                .place = place,
                .generation = worker.place.generation,
                .scripts = scripts,
                .drain_max = worker.limits.drain_max},
               base::Clock::now());
  return true;
}

bool KeptWorkers::settle(LivingWorker& worker, const std::vector<std::string>& reasons) {
  if (!keepers_.settle(worker.pid)) return false;
  const unsigned row = row_of(worker);
  if (parts_.life.slot(worker.place.slot).detach(worker.pid)) {
    parts_.board().set_state(row, SlotState::ready);
    parts_.log.keeps_scripts(worker, reasons);
  } else {
    // It was told to end meanwhile.
    keepers_.ended(worker.pid);
    parts_.board().set_state(row, SlotState::empty);
  }
  return true;
}

void KeptWorkers::put_back(const ScriptKeys& scripts, std::int64_t successor_started_us) {
  keepers_.for_each([&](pid_t, const Keepers::Keeper& keeper) {
    if (!have_common(keeper.scripts, scripts)) return;
    const unsigned row = keeper_row(keeper.slot, keeper.place);
    parts_.board().keep_generation(row, successor_started_us);
    parts_.board().set_state(row, SlotState::ready);
  });
}

void KeptWorkers::draining(LivingWorker& worker, control::EndReason why) {
  keepers_.draining(worker.pid, base::Clock::now());
  worker.leaving = why;
  parts_.board().set_state(row_of(worker), SlotState::draining);
}

std::vector<unsigned> KeptWorkers::advance(int signal) {
  const Keepers::Step step = keepers_.step(base::Clock::now());
  for (const Order& order : step.orders) carry_out(order, signal);
  std::vector<unsigned> disobedient;
  for (const pid_t pid : step.disobedient) {
    LivingWorker& worker = parts_.workers.at(pid);
    worker.kept_socket.reset();
    parts_.log.does_not_obey(worker);
    disobedient.push_back(worker.place.slot);
  }
  return disobedient;
}

void KeptWorkers::carry_out(const Order& order, int signal) {
  const bool terminates = order.kind == Order::Kind::terminate;
  if (terminates) {
    parts_.board().set_state(row_of(parts_.workers.at(order.pid)), SlotState::draining);
  }
  ::kill(order.pid, terminates ? signal : SIGKILL);
}

}  // namespace pyhost::supervisor

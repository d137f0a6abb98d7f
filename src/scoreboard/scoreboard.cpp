#include "scoreboard/scoreboard.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/clock.h"
#include "scoreboard/board_rows.h"
#include "scoreboard/count.h"

namespace pyhost::scoreboard {
namespace {

std::uint32_t present_of(const SlotRow& row) noexcept {
  return row.present.load() % kLeaseCounts;
}

Death death_in(const EndRow& row) noexcept {
  Death death = unpack_death(row.death);
  death.pid = row.pid;
  death.time_us = row.time_us;
  return death;
}

void record(EndRow& row, const Death& death) noexcept {
  if (death.generation < unpack_death(row.death).generation) return;
  row.pid = death.pid;
  row.time_us = death.time_us;
  // Behind the rest: who sees its generation sees whose death it is.
  row.death = pack(death);
}

// Of a worker whose slot is ready, by its own word.
SlotState state_of(Stance stance) noexcept {
  switch (stance) {
    case Stance::serving:
      return SlotState::ready;
    case Stance::standby:
      return SlotState::standby;
    case Stance::draining:
      break;
  }
  return SlotState::draining;
}

}  // namespace

base::Result<Scoreboard> Scoreboard::map(int board, int reports) {
  PH_TRY(memory, BoardMemory::map(board, Access::write));
  PH_TRY(told, ReportMemory::map(reports, Access::read));
  return Scoreboard(std::move(memory), std::move(told));
}

Scoreboard::Scoreboard(BoardMemory memory, ReportMemory reports) noexcept
    : memory_(std::move(memory)),
      reports_(std::move(reports)),
      slots_(std::min(memory_.slots(), reports_.slots())) {}

// Not what another worker of the slot has left there.
const WorkerReport* Scoreboard::report_or_null(std::uint32_t slot) const noexcept {
  const SlotRow& row = memory_.slot(slot);
  const WorkerReport& report = reports_.of(slot, row.report);
  return report.generation == row.generation ? &report : nullptr;
}

std::uint32_t Scoreboard::running(std::uint32_t slot) const noexcept {
  const WorkerReport* report = report_or_null(slot);
  return report == nullptr ? 0 : report->running.load();
}

// A worker may take fewer or more than its slot says, but none that nobody has allowed.
std::uint32_t Scoreboard::capacity(std::uint32_t slot) const noexcept {
  const SlotRow& row = memory_.slot(slot);
  const WorkerReport* report = report_or_null(slot);
  const std::uint32_t said = report == nullptr ? 0 : report->capacity.load();
  const std::uint32_t usual = row.capacity;
  return said == 0 ? usual : std::min(said, std::max(usual, row.capacity_max.load()));
}

bool Scoreboard::is_used(std::uint32_t slot) const noexcept {
  const auto state = SlotState(memory_.slot(slot).state.load());
  return state != SlotState::empty && state != SlotState::dead;
}

bool Scoreboard::serves(std::uint32_t slot, std::uint64_t script) const noexcept {
  const WorkerReport* report = report_or_null(slot);
  if (report == nullptr) return true;
  const std::size_t listed = std::min<std::size_t>(report->listed, kListedScriptsMax);
  const bool is_listed = std::any_of(report->scripts, report->scripts + listed,
                                     [script](const auto& each) { return each.load() == script; });
  return is_listed == (report->only_listed != 0);
}

SlotStatus Scoreboard::status(std::uint32_t slot) const noexcept {
  const SlotRow& row = memory_.slot(slot);
  SlotStatus status{.state = SlotState(row.state.load()),
                    .pid = row.pid.load(),
                    .generation = row.generation.load(),
                    .capacity = capacity(slot),
                    .outstanding = row.outstanding[present_of(row)].load(),
                    .kept_until_us = row.kept_until_us.load(),
                    .silent = row.silent.load() != 0 && row.silent.load() == row.generation.load(),
                    .resident_bytes = row.resident_bytes.load(std::memory_order_relaxed),
                    .processor_us = row.processor_us.load(std::memory_order_relaxed),
                    .last_end = death_in(row.end),
                    .last_death = death_in(row.death)};
  if (const WorkerReport* report = report_or_null(slot)) {
    status.requests = report->requests.load(std::memory_order_relaxed);
    status.running = report->running;
    status.lacks_scripts = report->only_listed == 0 && report->listed != 0;
    if (status.state == SlotState::ready) status.state = state_of(Stance(report->stance.load()));
  }
  return status;
}

void Scoreboard::begin_generation(std::uint32_t slot, pid_t pid, std::uint32_t generation,
                                  std::uint32_t capacity, std::uint32_t report,
                                  std::uint32_t capacity_max) noexcept {
  SlotRow& row = memory_.slot(slot);
  row.pid = pid;
  row.generation = generation;
  row.capacity = capacity;
  row.capacity_max = capacity_max;
  row.report = report;
  row.kept_until_us = 0;
  row.resident_bytes = 0;
  row.processor_us = 0;
  // Should a third worker still be busy in the slot, the new one shares its count.
  row.present = 1 - present_of(row);
  // Last: who sees it sees whose state it is.
  row.state = static_cast<std::uint32_t>(SlotState::starting);
}

void Scoreboard::set_state(std::uint32_t slot, SlotState state) noexcept {
  if (state == SlotState::empty && !is_used(slot)) return;
  memory_.slot(slot).state = static_cast<std::uint32_t>(state);
  queue().call_all();
}

void Scoreboard::keep_generation(std::uint32_t slot, std::int64_t successor_started_us) noexcept {
  memory_.slot(slot).kept_until_us = successor_started_us;
}

void Scoreboard::note_usage(std::uint32_t group_slot, pid_t pid, std::uint64_t resident_bytes,
                            std::uint64_t processor_us) noexcept {
  const std::uint32_t first = row_of(group_slot);
  for (std::uint32_t at = first; at < std::min(first + kRowsOfSlot, slots_); ++at) {
    SlotRow& row = memory_.slot(at);
    if (row.pid.load(std::memory_order_relaxed) != pid) continue;
    row.resident_bytes.store(resident_bytes, std::memory_order_relaxed);
    row.processor_us.store(processor_us, std::memory_order_relaxed);
  }
}

void Scoreboard::stop_group() noexcept {
  memory_.group().stopped = 1;
  queue().call_all();
}

void Scoreboard::start_group() noexcept {
  memory_.group().stopped = 0;
  queue().call_all();
}

bool Scoreboard::is_stopped() const noexcept {
  return memory_.group().stopped != 0;
}

void Scoreboard::record_death(std::uint32_t slot, const Death& death) noexcept {
  record(memory_.slot(slot).death, death);
  record_planned_end(slot, death);
}

void Scoreboard::record_planned_end(std::uint32_t slot, const Death& end) noexcept {
  SlotRow& row = memory_.slot(slot);
  record(row.end, end);
  if (end.generation == row.generation) set_state(slot, SlotState::dead);
  // Behind the end: who is woken finds it.
  auto& deaths = memory_.group().deaths;
  ++deaths;
  wake_sleepers(deaths, INT_MAX);
}

void Scoreboard::note_silence(std::uint32_t slot, std::uint32_t generation) noexcept {
  SlotRow& row = memory_.slot(slot);
  if (row.generation == generation) row.silent = generation;
}

void Scoreboard::note_sign_of_life(std::uint32_t slot, std::uint32_t generation) noexcept {
  Word<std::uint32_t>& silent = memory_.slot(slot).silent;
  // Nobody else's cache is disturbed by the usual case.
  if (silent.load(std::memory_order_relaxed) != generation) return;
  if (silent.compare_exchange_strong(generation, 0)) queue().call_all();
}

bool Scoreboard::has_children() noexcept {
  bool any = false;
  for (const ChildRow& child : memory_.children()) {
    const pid_t pid = child.pid;
    if (pid <= 0) continue;
    if (::kill(pid, 0) != 0 && errno == ESRCH) {
      forget_child(pid);
    } else {
      any = true;
    }
  }
  return any;
}

void Scoreboard::forget_child(pid_t pid) noexcept {
  const auto children = memory_.children();
  const auto child =
      std::ranges::find_if(children, [pid](const ChildRow& row) { return row.pid.load() == pid; });
  if (child == children.end()) return;
  const auto index = static_cast<std::size_t>(child - children.begin());
  for (std::uint32_t slot = 0; slot < slots_; ++slot) {
    for (std::size_t count = 0; count < kLeaseCounts; ++count) {
      subtract(memory_.slot(slot).outstanding[count],
               memory_.leases_of(index, slot, count).exchange(0));
    }
  }
  for (WaiterCell& cell : memory_.cells_of(index)) cell.arrival = 0;
  for (RequestCell& cell : memory_.requests_of(index).cells) {
    if (cell.began_ns.load(std::memory_order_relaxed) != 0) RunningMark::clear(cell);
  }
  child->sockets = 0;
  queue().forget(index);
  queue().call_all();
  // Last: the next child in this row finds it empty, and whoever is killed at this is followed.
  child->pid = 0;
}

// Calls `visit` with each row that a child has taken, when its request began, and the child's pid.
template <class Visit>
void Scoreboard::for_each_request(Visit visit) const {
  const auto children = memory_.children();
  for (std::size_t child = 0; child < children.size(); ++child) {
    const pid_t pid = children[child].pid.load();
    if (pid == 0) continue;
    const RequestRows rows = memory_.requests_of(child);
    for (std::size_t i = 0; i < rows.cells.size(); ++i) {
      const std::uint64_t began = rows.cells[i].began_ns.load(std::memory_order_relaxed);
      if (began != 0) visit(rows.at(i), base::TimePoint{base::Clock::duration(began)}, pid);
    }
  }
}

Scoreboard::Requests Scoreboard::requests() const noexcept {
  Requests found;
  for_each_request([&found](const RequestRow&, base::TimePoint began, pid_t) {
    ++found.number;
    found.oldest = found.oldest ? std::min(*found.oldest, began) : began;
  });
  return found;
}

std::vector<RunningRequest> Scoreboard::running_requests() const {
  std::vector<RunningRequest> requests;
  for_each_request([&requests](const RequestRow& row, base::TimePoint, pid_t child) {
    if (auto request = request_in(row, child)) requests.push_back(*std::move(request));
  });
  std::ranges::sort(requests, {}, &RunningRequest::began);
  return requests;
}

std::vector<RunningRequest> Scoreboard::take_slow_requests(base::TimePoint began_before) {
  std::vector<RunningRequest> slow;
  for_each_request([&](const RequestRow& row, base::TimePoint began, pid_t child) {
    Word<std::uint64_t>& told_ns = row.cell_or_null->told_ns;
    const auto began_ns = static_cast<std::uint64_t>(began.time_since_epoch().count());
    if (began >= began_before || told_ns.load(std::memory_order_relaxed) == began_ns) return;
    auto request = request_in(row, child);
    if (!request || request->began != began) return;
    told_ns.store(began_ns, std::memory_order_relaxed);
    slow.push_back(*std::move(request));
  });
  return slow;
}

std::optional<ChildId> Scoreboard::add_child(pid_t pid) noexcept {
  const auto children = memory_.children();
  for (std::uint32_t i = 0; i < children.size(); ++i) {
    std::int32_t nobody = 0;
    if (children[i].pid.compare_exchange_strong(nobody, pid)) return ChildId{i};
  }
  return std::nullopt;
}

std::optional<LeaseId> Scoreboard::take_lease(ChildId child, std::uint32_t slot) noexcept {
  SlotRow& row = memory_.slot(slot);
  const std::uint32_t capacity = this->capacity(slot);
  if (running(slot) >= capacity) return std::nullopt;
  const LeaseId lease{slot, present_of(row)};
  Count& count = memory_.leases_of(child.index, slot, lease.count);
  return take_one(count, row.outstanding[lease.count], capacity) ? std::optional(lease)
                                                                 : std::nullopt;
}

void Scoreboard::give_lease_back(ChildId child, const LeaseId& lease) noexcept {
  give_one_back(memory_.leases_of(child.index, lease.slot, lease.count),
                memory_.slot(lease.slot).outstanding[lease.count]);
  // Behind the lease, in one order for all: who has not seen it free is in the queue by now.
  queue().call_next();
}

void Scoreboard::close_socket(ChildId child) noexcept {
  subtract(memory_.children()[child.index].sockets, 1);
}

std::uint32_t Scoreboard::sockets() const noexcept {
  std::uint32_t sockets = 0;
  for (const ChildRow& child : memory_.children()) sockets += child.sockets.load();
  return sockets;
}

std::optional<Death> Scoreboard::wait_for_death(std::uint32_t slot, std::uint32_t generation,
                                                std::chrono::milliseconds at_most) const noexcept {
  const base::Clock::time_point deadline = base::Clock::now() + at_most;
  const auto& deaths = memory_.group().deaths;
  while (true) {
    // Before the look: a death behind that ends the sleep at once.
    const std::uint32_t seen = deaths.load();
    const Death death = status(slot).last_end;
    if (death.cause != DeathCause::none && death.generation >= generation) return death;
    if (base::Clock::now() >= deadline) return std::nullopt;
    sleep_on(deaths, seen, deadline);
  }
}

}  // namespace pyhost::scoreboard

#include "metrics/worker_seat.h"

#include <utility>

#include "metrics/scoreboard.h"

namespace pyhost::metrics {

base::Result<WorkerSeat> WorkerSeat::take(int board, int reports, std::uint32_t slot,
                                          std::uint32_t generation, std::uint32_t report) {
  PH_TRY(memory, BoardMemory::map(board, Access::read));
  PH_TRY(own, ReportMemory::map(reports, Access::write));
  if (slot >= memory.slots() || slot >= own.slots()) {
    return base::fail("the scoreboard has no row for this worker; restart httpd");
  }
  return WorkerSeat(std::move(memory), std::move(own), slot, generation, report);
}

WorkerSeat::WorkerSeat(BoardMemory memory, ReportMemory reports, std::uint32_t slot,
                       std::uint32_t generation, std::uint32_t report) noexcept
    : memory_(std::move(memory)),
      reports_(std::move(reports)),
      slot_(slot),
      generation_(generation),
      report_(&reports_.of(slot, report)) {
  report_->generation = 0;
  report_->running = 0;
  report_->withdrawn = 0;
  report_->requests = 0;
  report_->generation = generation;
}

WorkerReport* WorkerSeat::report_or_null() const noexcept {
  return report_->generation == generation_ ? report_ : nullptr;
}

void WorkerSeat::count_request() noexcept {
  if (auto* report = report_or_null()) report->requests.fetch_add(1, std::memory_order_relaxed);
}

void WorkerSeat::note_running(std::uint32_t requests) noexcept {
  auto* report = report_or_null();
  if (report == nullptr || requests >= report->running.exchange(requests) || !has_slot()) return;
  const SlotRow& row = this->row();
  const bool child_makes_room = row.outstanding[row.present % kPlaceCounts] > requests;
  if (!child_makes_room) Queue(memory_).wake_next();
}

bool WorkerSeat::withdraw() noexcept {
  auto* report = report_or_null();
  const bool serves = has_slot() && row().state == static_cast<std::uint32_t>(SlotState::ready);
  return report != nullptr && serves && report->withdrawn.exchange(1) == 0;
}

void WorkerSeat::come_back() noexcept {
  if (auto* report = report_or_null()) report->withdrawn = 0;
}

bool WorkerSeat::is_succeeded() const noexcept {
  return row().generation > generation_;
}

std::int64_t WorkerSeat::kept_until_us() const noexcept {
  return has_slot() ? row().kept_until_us.load() : 0;
}

}  // namespace pyhost::metrics

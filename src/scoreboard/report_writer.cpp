#include "scoreboard/report_writer.h"

#include <algorithm>
#include <utility>

#include "scoreboard/scoreboard.h"

namespace pyhost::scoreboard {
namespace {

// The generation comes last: it makes the rest count.
void begin(WorkerReport& report, std::uint32_t generation, std::span<const std::uint64_t> only = {},
           std::uint64_t requests = 0) noexcept {
  report.generation = 0;
  report.running = 0;
  report.capacity = 0;
  report.stance = static_cast<std::uint32_t>(Stance::serving);
  report.requests = requests;
  report.only_listed = only.empty() ? 0 : 1;
  const std::size_t listed = std::min(only.size(), kListedScriptsMax);
  std::copy_n(only.begin(), listed, report.scripts);
  report.listed = static_cast<std::uint32_t>(listed);
  report.generation = generation;
}

// Whether it was in the first one.
bool change(WorkerReport& report, Stance from, Stance to) noexcept {
  auto expected = static_cast<std::uint32_t>(from);
  return report.stance.compare_exchange_strong(expected, static_cast<std::uint32_t>(to));
}

}  // namespace

base::Result<ReportWriter> ReportWriter::take(int board, int reports, std::uint32_t slot,
                                              std::uint32_t generation, std::uint32_t report) {
  PH_TRY(memory, BoardMemory::map(board, Access::read));
  PH_TRY(own, ReportMemory::map(reports, Access::write));
  if (slot >= memory.slots() || slot >= own.slots()) {
    return base::fail("the scoreboard has no row for this worker; restart httpd");
  }
  return ReportWriter(std::move(memory), std::move(own), {slot, report}, generation);
}

ReportWriter::ReportWriter(BoardMemory memory, ReportMemory reports, Position position,
                           std::uint32_t generation) noexcept
    : memory_(std::move(memory)),
      reports_(std::move(reports)),
      position_(position),
      generation_(generation) {
  begin(report_at(position), generation);
}

ReportWriter::ReportWriter(ReportWriter&& other) noexcept
    : memory_(std::move(other.memory_)),
      reports_(std::move(other.reports_)),
      position_(other.position_.load()),
      generation_(other.generation_) {}

WorkerReport* ReportWriter::report_or_null() const noexcept {
  WorkerReport& report = report_at(position_);
  return report.generation == generation_ ? &report : nullptr;
}

void ReportWriter::count_request() noexcept {
  if (auto* report = report_or_null()) report->requests.fetch_add(1, std::memory_order_relaxed);
}

void ReportWriter::note_running(std::uint32_t requests) noexcept {
  auto* report = report_or_null();
  if (report == nullptr || requests >= report->running.exchange(requests) || !has_slot()) return;
  // Behind the exchange, in one order for all: a lease that is still seen here is given back by a
  // child that calls the next.
  const SlotRow& row = this->row();
  const bool child_makes_room = row.outstanding[row.present % kLeaseCounts] > requests;
  if (!child_makes_room) Queue(memory_).wake_next();
}

void ReportWriter::set_capacity(std::uint32_t requests) noexcept {
  auto* report = report_or_null();
  if (report == nullptr || report->capacity.exchange(requests) == requests || !has_slot()) return;
  Queue(memory_).wake_next();
}

bool ReportWriter::stand_by() noexcept {
  auto* report = report_or_null();
  const bool serves = has_slot() && row().state == static_cast<std::uint32_t>(SlotState::ready);
  return report != nullptr && serves && change(*report, Stance::serving, Stance::standby);
}

void ReportWriter::come_back() noexcept {
  if (auto* report = report_or_null()) change(*report, Stance::standby, Stance::serving);
}

void ReportWriter::drain() noexcept {
  if (auto* report = report_or_null())
    report->stance = static_cast<std::uint32_t>(Stance::draining);
}

void ReportWriter::lack(std::uint64_t script) noexcept {
  WorkerReport* report = report_or_null();
  if (report == nullptr || report->only_listed != 0) return;
  const std::uint32_t listed = report->listed;
  if (listed >= kListedScriptsMax) return;
  report->scripts[listed] = script;
  // Behind the script that it counts in.
  report->listed = listed + 1;
}

bool ReportWriter::move_to(std::uint32_t slot, std::uint32_t report,
                           std::span<const std::uint64_t> scripts) noexcept {
  if (slot >= memory_.slots() || slot >= reports_.slots()) return false;
  const std::uint64_t requests = report_at(position_).requests;
  begin(report_at({slot, report}), generation_, scripts, requests);
  const Position before = position_.exchange({slot, report});
  if (report_at(before).generation == generation_) {
    change(report_at(before), Stance::serving, Stance::standby);
  }
  return true;
}

bool ReportWriter::is_succeeded() const noexcept {
  return row().generation > generation_;
}

std::int64_t ReportWriter::kept_until_us() const noexcept {
  return has_slot() ? row().kept_until_us.load() : 0;
}

}  // namespace pyhost::scoreboard

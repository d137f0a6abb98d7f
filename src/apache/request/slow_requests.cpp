#include "apache/request/slow_requests.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "apache/config/config.h"
#include "apache/config/process_groups.h"
#include "apache/json_log.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/request/request_record.h"
#include "base/clock.h"
#include "base/printable.h"

namespace pyhost::apache {
namespace {

using base::seconds;

// Nothing when none is slow.
std::optional<base::Clock::duration> slow_after() {
  const auto after = process_settings().slow_requests.value_or(settings::Seconds(0));
  if (after <= settings::Seconds(0)) return std::nullopt;
  // More than a century is more than enough for a clock.
  constexpr settings::Seconds kLongest{3e9};
  return std::chrono::duration_cast<base::Clock::duration>(std::min(after, kLongest));
}

std::string place_of(const RequestRecord& record) {
  if (record.process_group.empty()) return "in this process";
  if (record.worker.pid == 0) return fmt::format("in process group '{}'", record.process_group);
  return fmt::format("in worker {} (pid {}) of process group '{}'", record.worker.slot,
                     record.worker.pid, record.process_group);
}

std::string describe(const scoreboard::RunningRequest& request, const std::string& group,
                     base::TimePoint now) {
  std::string place = "in httpd's own process";
  if (request.slot) {
    place = fmt::format("in worker {} (pid {}) of process group '{}'", *request.slot,
                        request.worker, group);
  } else if (!group.empty()) {
    place = fmt::format("and waits for a worker of process group '{}', in httpd's process", group);
  }
  if (!request.slot) place += fmt::format(" {}", request.child);
  return fmt::format("{} {} runs for {:.1f} s by now, {} (id {})", base::printable(request.method),
                     base::printable(request.path), seconds(now - request.began), place,
                     base::printable(request.id));
}

void log_slow_ones_of(const server_rec* main_server, const std::string& group,
                      scoreboard::Scoreboard& board, base::Clock::duration after) {
  const auto now = base::Clock::now();
  for (const auto& request : board.take_slow_requests(now - after)) {
    log_server(main_server, base::LogLevel::warn, base::Message::slow_request_runs,
               describe(request, group, now));
  }
}

}  // namespace

void log_if_slow(const request_rec* r) {
  const auto after = slow_after();
  if (!after) return;
  const RequestRecord* record = record_or_null(r);
  if (record == nullptr) return;
  const gateway::RequestTimes& times = record->times;
  if (times.ended - times.arrived <= *after) return;
  // The record has the method and the URL by itself.
  log_request(r, base::LogLevel::warn, base::Message::slow_request,
              fmt::format("the request has taken {:.1f} s {}: {:.1f} s of it waiting for a worker, "
                          "{:.1f} s for its interpreter's lock, {:.1f} s in the application, "
                          "{:.1f} s passing the reply on",
                          seconds(times.ended - times.arrived), place_of(*record),
                          seconds(times.queued), seconds(record->figures.interpreter_wait),
                          seconds(record->figures.application), seconds(times.writing)));
}

void log_slow_ones_that_run(const server_rec* main_server, Supervision& supervision) {
  const auto after = slow_after();
  if (!after) return;
  if (auto* board = supervision.embedded_board().get_or_null()) {
    log_slow_ones_of(main_server, "", *board, *after);
  }
  for (const DaemonGroup* group : all_process_groups()) {
    if (auto* board = supervision.scoreboard_or_null(*group)) {
      log_slow_ones_of(main_server, group->options.name, *board, *after);
    }
  }
}

}  // namespace pyhost::apache

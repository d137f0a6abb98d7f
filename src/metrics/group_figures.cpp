#include "metrics/group_figures.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "appmetrics/reader.h"
#include "metrics/group_snapshot.h"
#include "pyhost/gateway/build_id.h"
#include "pyhost/gateway/failure_cause.h"
#include "scoreboard/board_rows.h"
#include "scoreboard/group_sums.h"

namespace pyhost::metrics {
namespace {

using scoreboard::ApplicationTotals;
using scoreboard::GroupSums;
using scoreboard::SlotState;
using scoreboard::SlotStatus;

using Count = std::uint64_t;

// As directives name the main interpreter, and httpd's own processes. A label that is empty would
// be none.
constexpr std::string_view kGlobal = "%{GLOBAL}";
// Stands for all application groups for which there was no place.
constexpr std::string_view kOthers = "other";

std::string label_of(std::string_view name) {
  return std::string(name.empty() ? kGlobal : name);
}

template <const auto& kBounds>
Buckets buckets_of(const scoreboard::Histogram<Count, kBounds>& histogram) {
  return {.bounds_us = kBounds,
          .numbers = {std::begin(histogram.buckets), std::end(histogram.buckets)},
          .sum_us = histogram.sum_us};
}

// Adds the samples of one group.
class GroupWriter {
 public:
  GroupWriter(Figures& figures, const MeasuredGroup& group)
      : figures_(figures), group_(group), label_(label_of(group.name)) {}

  void add(Family family, double value) const { figures_.add(family, {group()}, value); }
  void add(Family family, Buckets buckets) const {
    figures_.add(family, {group()}, std::move(buckets));
  }
  void add(Family family, std::string_view label, std::string_view value, double number) const {
    figures_.add(family, {group(), {label, std::string(value)}}, number);
  }

  void add_application(const std::string& name, const ApplicationTotals<Count>& totals) const {
    constexpr std::array<std::string_view, scoreboard::kStatusClasses> kClasses{"1xx", "2xx", "3xx",
                                                                                "4xx", "5xx"};
    const Label app{"app", name};
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      figures_.add(Family::requests_total, {group(), app, {"code_class", std::string(kClasses[i])}},
                   static_cast<double>(totals.requests[i]));
    }
    figures_.add(Family::request_duration_seconds, {group(), app}, buckets_of(totals.durations));
    for (const auto& [family, us] :
         {std::pair(Family::interpreter_wait_seconds_total, totals.interpreter_wait_us),
          std::pair(Family::application_seconds_total, totals.application_us),
          std::pair(Family::reply_write_seconds_total, totals.writing_us)}) {
      figures_.add(family, {group(), app}, in_seconds(us));
    }
  }
  void add_requests(const GroupSums& sums) const;
  void add_running(base::TimePoint now) const;
  void add_sockets(const GroupSums& sums) const;
  void add_applications_own() const;
  void add_workers(const GroupSums& sums, const GroupSnapshot& snapshot) const;
  void add_each_worker(const GroupSnapshot& snapshot) const;

 private:
  Label group() const { return {"group", label_}; }
  void add_failures(const GroupSums& sums) const;
  void add_ends(const GroupSums& sums) const;
  void add_states(const GroupSnapshot& snapshot) const;

  Figures& figures_;
  const MeasuredGroup& group_;
  const std::string label_;
};

void GroupWriter::add_failures(const GroupSums& sums) const {
  for (std::size_t i = 1; i < gateway::kFailureCauses; ++i) {
    const auto cause = gateway::FailureCause(i);
    const auto number = static_cast<double>(sums.requests.failures[i]);
    switch (kind_of(cause)) {
      case gateway::FailureKind::rejection:
        add(Family::requests_rejected_total, "reason", name_of(cause), number);
        break;
      case gateway::FailureKind::abort:
        add(Family::client_aborts_total, "stage", name_of(cause), number);
        break;
      case gateway::FailureKind::error:
        add(Family::request_errors_total, "cause", name_of(cause), number);
        break;
      case gateway::FailureKind::none:
        break;
    }
  }
}

void GroupWriter::add_requests(const GroupSums& sums) const {
  constexpr std::array<std::string_view, scoreboard::kQuestionKinds> kQuestions{
      "access", "password", "realm_hash", "groups", "authn", "dispatch"};
  for (const auto& application : sums.applications) {
    add_application(label_of(application.name), application.totals);
  }
  add_application(std::string(kOthers), sums.others);
  const auto& requests = sums.requests;
  add(Family::queue_wait_seconds, buckets_of(requests.waits));
  add(Family::requests_waited_total, static_cast<double>(requests.waited));
  add_failures(sums);
  add(Family::request_body_bytes_total, static_cast<double>(requests.body_bytes));
  add(Family::reply_bytes_total, static_cast<double>(requests.reply_bytes));
  for (std::size_t i = 0; i < kQuestions.size(); ++i) {
    add(Family::hook_calls_total, "kind", kQuestions[i],
        static_cast<double>(requests.questions[i]));
  }
  add(Family::log_lines_dropped_total, static_cast<double>(requests.log_lines_dropped));
  add(Family::threads_busy_seconds_total, in_seconds(requests.busy_us));
}

void GroupWriter::add_sockets(const GroupSums& sums) const {
  constexpr std::uint16_t kFirstCode = 1000;
  const auto& requests = sums.requests;
  add(Family::websockets_open, group_.board.sockets());
  add(Family::websocket_messages_total, "direction", "received",
      static_cast<double>(requests.socket_messages_received));
  add(Family::websocket_messages_total, "direction", "sent",
      static_cast<double>(requests.socket_messages_sent));
  for (std::size_t i = 0; i < scoreboard::kSocketCloses; ++i) {
    const std::string code = i == scoreboard::kSocketCloses - 2   ? "3xxx"
                             : i == scoreboard::kSocketCloses - 1 ? "4xxx"
                                                                  : std::to_string(kFirstCode + i);
    add(Family::websocket_closes_total, "code", code,
        static_cast<double>(requests.socket_closes[i]));
  }
}

void GroupWriter::add_running(base::TimePoint now) const {
  const auto running = group_.board.requests();
  add(Family::requests_in_progress, running.number);
  add(Family::requests_queued, group_.board.waiting());
  // One may have begun since `now`.
  const auto oldest = std::min(running.oldest.value_or(now), now);
  add(Family::oldest_request_seconds, base::seconds(now - oldest));
  add(Family::queue_limit, group_.queue);
  if (group_.is_embedded()) {
    add(Family::threads_busy, running.number);
    add(Family::threads_limit, group_.threads);
  }
}

void GroupWriter::add_states(const GroupSnapshot& snapshot) const {
  unsigned starting = 0, idle = 0, busy = 0, standby = 0, draining = 0, threads_busy = 0;
  const auto look = [&](const SlotStatus& worker) {
    if (worker.state == SlotState::starting) ++starting;
    if (worker.state == SlotState::ready) ++(worker.busy() == 0 ? idle : busy);
    if (worker.state == SlotState::standby) ++standby;
    if (worker.state == SlotState::draining) ++draining;
    if (worker.state != SlotState::empty && worker.state != SlotState::dead) {
      threads_busy += worker.busy();
    }
  };
  for (const SlotStatus& worker : snapshot.workers) look(worker);
  for (const auto& keeper : snapshot.keepers) look(keeper.worker);
  for (const auto& [state, number] :
       {std::pair("starting", starting), std::pair("idle", idle), std::pair("busy", busy),
        std::pair("standby", standby), std::pair("draining", draining)}) {
    add(Family::workers, "state", state, number);
  }
  add(Family::threads_busy, threads_busy);
}

void GroupWriter::add_ends(const GroupSums& sums) const {
  const auto add_end = [this](std::string_view cause, std::string signal, Count number) {
    figures_.add(Family::worker_exits_total,
                 {group(), {"cause", std::string(cause)}, {"signal", std::move(signal)}},
                 static_cast<double>(number));
  };
  for (std::size_t i = 0; i < scoreboard::kEndKinds; ++i) {
    const auto cause = scoreboard::DeathCause(i);
    if (cause != scoreboard::DeathCause::signalled) {
      add_end(scoreboard::name_of(cause), "", sums.workers.ends[i]);
    }
  }
  for (std::size_t signal = 0; signal < scoreboard::kSignals; ++signal) {
    const Count number = sums.workers.ends_by_signal[signal];
    // Those that crashes and operators bring about are there from the start.
    const bool is_usual =
        signal == SIGSEGV || signal == SIGABRT || signal == SIGKILL || signal == SIGTERM;
    if (number == 0 && !is_usual) continue;
    const char* name = ::sigabbrev_np(static_cast<int>(signal));
    add_end(scoreboard::name_of(scoreboard::DeathCause::signalled),
            name != nullptr ? "SIG" + std::string(name) : std::to_string(signal), number);
  }
}

void GroupWriter::add_applications_own() const {
  appmetrics::Reading reading;
  if (group_.metrics_or_null != nullptr) reading = appmetrics::read(*group_.metrics_or_null);
  add(Family::application_writes_dropped_total, static_cast<double>(reading.dropped));
  figures_.applications().add(label_, std::move(reading.families));
}

void GroupWriter::add_workers(const GroupSums& sums, const GroupSnapshot& snapshot) const {
  const auto& workers = sums.workers;
  add(Family::workers_limit, group_.slots);
  add(Family::threads_limit, places_of(snapshot));
  add_states(snapshot);
  for (std::size_t i = 0; i < scoreboard::kStartReasons; ++i) {
    add(Family::worker_starts_total, "reason", name_of(scoreboard::StartReason(i)),
        static_cast<double>(workers.starts[i]));
  }
  add_ends(sums);
  add(Family::worker_start_duration_seconds, buckets_of(workers.start_durations));
  Count generation = 0;
  for (const SlotStatus& worker : snapshot.workers) {
    generation = std::max<Count>(generation, worker.generation);
  }
  add(Family::generation, static_cast<double>(generation));
  const GroupState state = state_of(snapshot);
  const bool degraded = state == GroupState::degraded || state == GroupState::failing;
  add(Family::generation_degraded, degraded ? 1 : 0);
  using scoreboard::DeployResult;
  for (const auto& [result, name] :
       {std::pair(DeployResult::ok, "ok"), std::pair(DeployResult::broken, "broken")}) {
    add(Family::deploys_total, "result", name,
        static_cast<double>(workers.deploys[static_cast<std::size_t>(result)]));
  }
  add(Family::resident_bytes, static_cast<double>(workers.resident_bytes));
  add(Family::proportional_bytes, static_cast<double>(workers.proportional_bytes));
  add(Family::cpu_seconds_total, "mode", "user", in_seconds(workers.user_us));
  add(Family::cpu_seconds_total, "mode", "system", in_seconds(workers.system_us));
}

void GroupWriter::add_each_worker(const GroupSnapshot& snapshot) const {
  for (std::size_t slot = 0; slot < snapshot.workers.size(); ++slot) {
    const SlotStatus& worker = snapshot.workers[slot];
    const std::string name = std::to_string(slot);
    add(Family::worker_threads_busy, "slot", name, worker.busy());
    add(Family::worker_ready, "slot", name, worker.state == SlotState::ready ? 1 : 0);
    add(Family::worker_generation, "slot", name, worker.generation);
  }
}

}  // namespace

void add_group(Figures& figures, const MeasuredGroup& group, WorkerDetail detail,
               base::TimePoint now) {
  const GroupSums sums = scoreboard::sums_of(group.board.totals());
  const GroupWriter writer(figures, group);
  writer.add_requests(sums);
  writer.add_running(now);
  writer.add_applications_own();
  if (group.is_embedded()) return;
  const GroupSnapshot snapshot = snapshot_of(group.board, group.name, group.slots, group.threads);
  writer.add_sockets(sums);
  writer.add_workers(sums, snapshot);
  if (detail == WorkerDetail::on) writer.add_each_worker(snapshot);
}

void add_build(Figures& figures, std::string_view httpd_version,
               std::span<const std::string> pythons) {
  // The digest behind the version is of no use to others.
  const std::string_view id = gateway::kBuildId;
  const std::string version(id.substr(0, id.rfind('-')));
  const auto add = [&](const std::string& python) {
    figures.add(Family::build_info,
                {{"version", version}, {"httpd", std::string(httpd_version)}, {"python", python}},
                1.0);
  };
  for (const std::string& python : pythons) add(python);
  if (pythons.empty()) add("");
}

}  // namespace pyhost::metrics

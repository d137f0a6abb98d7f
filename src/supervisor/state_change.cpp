#include "supervisor/state_change.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "launch/worker_environment.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;

// A group that runs already can go on with what was read before, and httpd does not answer while it
// waits for us: so nobody's files hold a restart up for longer.
constexpr base::Milliseconds kPatienceForRunning{1'000};

}  // namespace

StateChange::StateChange(ChangeContext context, std::uint64_t number, control::WantedState state,
                         std::vector<base::UniqueFd> descriptors)
    : context_(std::move(context)),
      number_(number),
      state_(std::move(state)),
      descriptors_(std::move(descriptors)),
      rehearsals_(context_.loop) {
  logs_[0] = context_.main_log;
  candidates_.reserve(state_.groups.size());
  for (const control::WantedGroup& wanted : state_.groups) {
    if (const auto considered = consider(wanted); !considered) {
      errors_.push_back(considered.error().sentence);
    }
  }
}

base::Result<> StateChange::consider(const control::WantedGroup& wanted) {
  // Groups may share a log, and write to that of the supervisor.
  if (std::shared_ptr<QueuedLog>& log = logs_[wanted.log]; !log) {
    log =
        std::make_shared<QueuedLog>(context_.loop, std::move(descriptors_[wanted.log]), state_.log);
  }
  const WorkerGroup* before = context_.find(wanted);
  if (before != nullptr && state_.revival && before->runs_as(wanted)) return {};
  PH_TRY(plan, launch::plan_worker(wanted.options, state_.httpd, context_.worker_program));
  plan.limits.push_back(context_.worker_descriptors);
  const bool unchanged = before != nullptr && before->starts_as(wanted.options, plan);
  Candidate candidate{
      .wanted = wanted, .before = unchanged ? before : nullptr, .plan = std::move(plan)};
  launch::InputFiles files = launch::input_files_of(state_, wanted);
  if (!unchanged) {
    candidate.rehearsal = rehearsals_.add({.plan = candidate.plan, .files = std::move(files)});
  } else if (!files.none()) {
    candidate.rehearsal = rehearsals_.add({.plan = candidate.plan,
                                           .files = std::move(files),
                                           .extent = launch::Rehearse::files,
                                           .patience = kPatienceForRunning});
  }
  candidates_.push_back(std::move(candidate));
  return {};
}

StateChange::Result StateChange::take() {
  Result result{.errors = std::move(errors_)};
  for (Candidate& candidate : candidates_) {
    auto setup = set_up(std::move(candidate));
    if (setup) {
      result.setups.push_back(*std::move(setup));
    } else {
      result.errors.push_back(setup.error().sentence);
    }
  }
  return result;
}

// A group that runs is not to suffer, nor the restart, from what its user does to files.
void StateChange::note_kept_inputs(const Candidate& candidate, const std::string& why) const {
  logs_.at(candidate.wanted.log)
      ->log(LogLevel::error, Message::inputs_kept,
            why + "; the group goes on with what was read before");
}

base::Result<launch::StartInputs> StateChange::inputs_for(const Candidate& candidate) const {
  if (!candidate.rehearsal) return launch::StartInputs{};
  auto inputs = rehearsals_.outcome(*candidate.rehearsal);
  if (inputs || candidate.before == nullptr) return inputs;
  note_kept_inputs(candidate, inputs.error().sentence);
  return candidate.before->inputs();
}

base::Result<GroupSetup> StateChange::set_up(Candidate candidate) {
  const control::WantedGroup& wanted = candidate.wanted;
  PH_TRY(inputs, inputs_for(candidate));
  const auto make_environment = [&] {
    return launch::worker_environment(wanted.options, candidate.plan.credentials, environ,
                                      inputs.env_text);
  };
  auto environment = make_environment();
  if (!environment && candidate.before != nullptr) {
    note_kept_inputs(candidate, environment.error().sentence);
    inputs = candidate.before->inputs();
    environment = make_environment();
  }
  if (!environment) return tl::unexpected(std::move(environment).error());
  candidate.plan.environment = *std::move(environment);
  const int board = descriptors_[wanted.board].get();
  base::UniqueFd& reports = descriptors_[wanted.reports];
  PH_TRY(mapped, scoreboard::Scoreboard::map(board, reports.get()));
  PH_TRY(for_workers, scoreboard::open_board_for_reading(board));
  if (scoreboard::row_of(worker_count(wanted.options)) > mapped.slots()) {
    return base::fail(fmt::format(
        "WSGIDaemonProcess {}: the scoreboard has no room for its workers", wanted.options.name));
  }
  return GroupSetup{.wanted = wanted,
                    .plan = std::move(candidate.plan),
                    .inputs = std::move(inputs),
                    .log = logs_.at(wanted.log),
                    .scoreboard = std::make_unique<scoreboard::Scoreboard>(std::move(mapped)),
                    .for_workers = {.board = std::move(for_workers), .reports = std::move(reports)},
                    .metrics = map_metrics(wanted)};
}

// Its workers may have spoilt it, which is to harm nothing but their figures.
std::optional<GroupSetup::Metrics> StateChange::map_metrics(const control::WantedGroup& wanted) {
  if (wanted.metrics == 0) return std::nullopt;
  base::UniqueFd& file = descriptors_[wanted.metrics];
  auto memory = appmetrics::Memory::map(file.get(), appmetrics::Access::write);
  if (memory) return GroupSetup::Metrics{std::move(file), *std::move(memory)};
  logs_.at(wanted.log)
      ->log(LogLevel::error, Message::metrics_memory_failed,
            fmt::format("process group '{}': what its applications measure is not kept: {}",
                        wanted.options.name, memory.error().sentence));
  return std::nullopt;
}

}  // namespace pyhost::supervisor

#include "supervisor/state_change.h"

#include <unistd.h>

#include <algorithm>

#include "supervisor/worker_environment.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;

// A group that runs already can go on with what was read before, and httpd does not answer while it
// waits for us: so nobody's files hold a restart up for longer.
constexpr Milliseconds kPatienceForRunning{1'000};

}  // namespace

StateChange::StateChange(ChangeContext context, std::uint64_t number, WantedState state,
                         std::shared_ptr<Board> board, std::vector<std::shared_ptr<QueuedLog>> logs)
    : context_(std::move(context)),
      number_(number),
      state_(std::move(state)),
      board_(std::move(board)),
      logs_(std::move(logs)),
      rehearsals_(context_.loop) {
  candidates_.reserve(state_.groups.size());
  for (const WantedGroup& wanted : state_.groups) {
    if (const auto considered = consider(wanted); !considered) {
      errors_.push_back(considered.error().sentence);
    }
  }
}

base::Result<> StateChange::consider(const WantedGroup& wanted) {
  const WorkerGroup* before = context_.find(wanted);
  if (before != nullptr && state_.revival && before->runs_as(wanted)) return {};
  PH_TRY(plan, plan_worker(wanted.options, state_.httpd, context_.worker_program));
  plan.limits.push_back(context_.worker_descriptors);
  const bool unchanged = before != nullptr && before->starts_as(wanted.options, plan);
  Candidate candidate{
      .wanted = wanted, .before = unchanged ? before : nullptr, .plan = std::move(plan)};
  InputFiles files = input_files_of(state_, wanted);
  if (!unchanged) {
    candidate.rehearsal = rehearsals_.add({.plan = candidate.plan, .files = std::move(files)});
  } else if (!files.none()) {
    candidate.rehearsal = rehearsals_.add({.plan = candidate.plan,
                                           .files = std::move(files),
                                           .extent = Rehearse::files,
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
base::Result<StartInputs> StateChange::inputs_for(const Candidate& candidate) const {
  if (!candidate.rehearsal) return StartInputs{};
  auto inputs = rehearsals_.outcome(*candidate.rehearsal);
  if (inputs || candidate.before == nullptr) return inputs;
  logs_[candidate.wanted.log]->log(
      LogLevel::error, Message::inputs_kept,
      inputs.error().sentence + "; the group goes on with what was read before");
  return candidate.before->inputs();
}

base::Result<GroupSetup> StateChange::set_up(Candidate candidate) const {
  const gateway::ProcessGroup& options = candidate.wanted.options;
  PH_TRY(inputs, inputs_for(candidate));
  auto environment =
      worker_environment(options, candidate.plan.credentials, environ, inputs.env_text);
  if (!environment && candidate.before != nullptr) {
    logs_[candidate.wanted.log]->log(
        LogLevel::error, Message::inputs_kept,
        environment.error().sentence + "; the group goes on with what was read before");
    inputs = candidate.before->inputs();
    environment = worker_environment(options, candidate.plan.credentials, environ, inputs.env_text);
  }
  if (!environment) return tl::unexpected(std::move(environment).error());
  candidate.plan.environment = *std::move(environment);
  return GroupSetup{.wanted = candidate.wanted,
                    .plan = std::move(candidate.plan),
                    .inputs = std::move(inputs),
                    .log = logs_[candidate.wanted.log],
                    .board = board_};
}

}  // namespace pyhost::supervisor

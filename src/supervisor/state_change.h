// A wanted state on its way into force.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/wanted_state.h"
#include "launch/rehearsals.h"
#include "supervisor/group/worker_group.h"

namespace pyhost::supervisor {

// What a state change needs of the supervisor, which outlives it.
struct ChangeContext {
  os::EventLoop& loop;
  const std::string& worker_program;
  const launch::ResourceLimit& worker_descriptors;  // the limit of open files that workers get
  std::shared_ptr<QueuedLog> main_log;              // which the first descriptor is for
  // The group of before that a wanted one goes on with; nullptr when it is new.
  std::function<const WorkerGroup*(const control::WantedGroup&)> find;
};

// Finds everything out that may fail before anything is changed. What belongs to a group's user is
// looked at by processes with that user's rights, and nobody waits for them: only for groups that
// are new, have changed or have files that are read anew. Single-threaded, in the thread of the
// loop.
class StateChange {
 public:
  // `descriptors` are those that `state` numbers.
  StateChange(ChangeContext context, std::uint64_t number, control::WantedState state,
              std::vector<base::UniqueFd> descriptors);

  void advance(base::TimePoint now) { rehearsals_.advance(now); }
  std::optional<base::TimePoint> next_deadline() const noexcept {
    return rehearsals_.next_deadline();
  }
  bool done() const noexcept { return rehearsals_.done(); }

  // What the message was numbered that wants it.
  std::uint64_t number() const noexcept { return number_; }
  const control::WantedState& state() const noexcept { return state_; }

  // What groups are to take over, but for their sockets.
  struct Result {
    std::vector<GroupSetup> setups;
    std::vector<std::string> errors;  // of groups that cannot be started
  };
  // PRECONDITION: done, and called once.
  Result take();

 private:
  // A group that is to be started or to be renewed.
  struct Candidate {
    const control::WantedGroup& wanted;
    const WorkerGroup* before;  // it goes on, and nothing that it was started with is different
    launch::WorkerPlan plan;
    std::optional<std::size_t> rehearsal;
  };

  base::Result<> consider(const control::WantedGroup& wanted);
  base::Result<launch::StartInputs> inputs_for(const Candidate& candidate) const;
  base::Result<GroupSetup> set_up(Candidate candidate);
  std::optional<GroupSetup::Metrics> map_metrics(const control::WantedGroup& wanted);
  void note_kept_inputs(const Candidate& candidate, const std::string& why) const;

  ChangeContext context_;
  const std::uint64_t number_;
  const control::WantedState state_;
  std::vector<base::UniqueFd> descriptors_;
  std::map<unsigned, std::shared_ptr<QueuedLog>> logs_;  // by the place of the descriptor
  launch::Rehearsals rehearsals_;
  std::vector<Candidate> candidates_;
  std::vector<std::string> errors_;
};

}  // namespace pyhost::supervisor

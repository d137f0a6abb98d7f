// Rehearses the starts of many groups side by side.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "launch/worker_start.h"
#include "os/event_loop.h"

namespace pyhost::launch {

// What is to be rehearsed of a group.
struct RehearsalTask {
  WorkerPlan plan;
  InputFiles files;
  Rehearse extent = Rehearse::start;
  base::Milliseconds patience{10'000};  // beyond it the rehearsal has failed
};

// Single-threaded, in the thread of the loop, which outlives it. Nothing here waits: a rehearsal
// that a dead filesystem holds up costs its own group alone.
class Rehearsals {
 public:
  // So many processes at a time.
  static constexpr unsigned kAtOnce = 32;

  explicit Rehearsals(os::EventLoop& loop) noexcept : loop_(loop) {}
  Rehearsals(const Rehearsals&) = delete;
  Rehearsals& operator=(const Rehearsals&) = delete;
  // Those that have not ended are killed.
  ~Rehearsals();

  // Its number, from 0 on.
  std::size_t add(RehearsalTask task);

  // Begins those whose turn it is and gives up those that take too long.
  void advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

  bool done() const noexcept { return begun_ == tasks_.size() && running_.empty(); }
  // PRECONDITION: done. Fails with a sentence that names the group and what was in the way.
  const base::Result<StartInputs>& outcome(std::size_t number) const { return outcomes_[number]; }

 private:
  struct Running {
    std::size_t number;
    WorkerProcess process;
    base::TimePoint until;
    std::string said{};
  };

  void begin(base::TimePoint now);
  void read(std::size_t number);
  void reap(std::size_t number);
  void give_up(std::size_t number);
  void forget(std::size_t number) noexcept;

  os::EventLoop& loop_;
  std::vector<RehearsalTask> tasks_;
  std::vector<base::Result<StartInputs>> outcomes_;
  std::size_t begun_ = 0;
  std::map<std::size_t, Running> running_;
};

// Waits until all have ended, with a loop of its own that nothing else is watched by.
void run_to_end(os::EventLoop& loop, Rehearsals& rehearsals);

}  // namespace pyhost::launch

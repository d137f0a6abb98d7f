// Renews groups when files of their reload-on= change.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "supervisor/reload/lookout_process.h"
#include "supervisor/group/worker_group.h"

namespace pyhost::supervisor {

// The files belong to the groups' users, so that processes of theirs look at them. Single-threaded,
// in the thread of the loop. The loop, the groups and the log outlive it.
class ReloadService {
 public:
  // The program of lookouts.
  ReloadService(EventLoop& loop, std::list<WorkerGroup>& groups, base::LogSink& log,
                std::string program) noexcept
      : loop_(loop), groups_(groups), log_(log), program_(std::move(program)) {}

  // Watches what the groups that are wanted now name. What is watched already stays so.
  void follow();
  // Watches nothing any more.
  void close() noexcept;

  // Renews the groups whose files have changed.
  void advance(TimePoint now);
  std::optional<TimePoint> next_deadline() const noexcept;

 private:
  // Bursts of changes are told once, when they are over. Whoever says more than that has to wait,
  // and is not heard when it is about problems.
  static constexpr Milliseconds kBetweenReloads{500};
  static constexpr Milliseconds kBetweenProblems{10'000};

  struct Watch {
    std::string problem;  // that was logged
    TimePoint next_problem_at{};
    std::optional<gateway::WatchReport> change;
    TimePoint rests_until{};
  };

  LookoutProcess& lookout_for(const Credentials& credentials);
  void heed(gateway::WatchReport report);
  void note_problem(const std::string& group, const std::string& problem);
  void reload(const std::string& group, const gateway::WatchReport& change);
  WorkerGroup* find(const std::string& name) noexcept;

  EventLoop& loop_;
  std::list<WorkerGroup>& groups_;
  base::LogSink& log_;
  const std::string program_;
  std::list<LookoutProcess> lookouts_;
  std::map<std::string, Watch> watches_;  // by the name of the group
};

}  // namespace pyhost::supervisor

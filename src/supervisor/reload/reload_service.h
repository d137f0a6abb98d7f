// Renews groups when files of their reload-on= change.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "supervisor/group/worker_group.h"
#include "supervisor/reload/lookout_process.h"

namespace pyhost::supervisor {

// The files belong to the groups' users, so that processes of theirs look at them. Single-threaded,
// in the thread of the loop. The loop, the groups and the log outlive it.
class ReloadService {
 public:
  // The program of lookouts.
  ReloadService(os::EventLoop& loop, std::list<WorkerGroup>& groups, base::LogSink& log,
                std::string program) noexcept
      : loop_(loop), groups_(groups), log_(log), program_(std::move(program)) {}

  // Watches what the groups that are wanted now name. What is watched already stays so.
  void follow();
  // Watches nothing any more.
  void close() noexcept;

  // Renews the groups whose files have changed.
  void advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  // Bursts of changes are told once, when they are over. Whoever says more than that has to wait,
  // and is not heard when it is about problems.
  static constexpr base::Milliseconds kBetweenReloads{500};
  static constexpr base::Milliseconds kBetweenProblems{10'000};

  struct Watch {
    std::string problem;  // that was logged
    base::TimePoint next_problem_at{};
    std::optional<control::WatchReport> change;
    base::TimePoint rests_until{};
  };

  LookoutProcess& lookout_for(const launch::Credentials& credentials);
  void heed(control::WatchReport report);
  void note_problem(const std::string& group, const std::string& problem);
  void reload(const std::string& group, const control::WatchReport& change);
  WorkerGroup* find(const std::string& name) noexcept;

  os::EventLoop& loop_;
  std::list<WorkerGroup>& groups_;
  base::LogSink& log_;
  const std::string program_;
  std::list<LookoutProcess> lookouts_;
  std::map<std::string, Watch> watches_;  // by the name of the group
};

}  // namespace pyhost::supervisor

// The parent's side of the worker processes: one supervisor that outlives restarts, and what it is
// told at each of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apache/config.h"
#include "apache/retained_groups.h"
#include "metrics/scoreboard.h"
#include "pyhost/base/result.h"
#include "supervisor/launch.h"

namespace pyhost::apache {

// What survives a restart, which unloads the module. In memory that httpd keeps.
struct RetainedSupervisor;

// One per generation of the configuration, in its pool; used by the parent's only thread. A child
// inherits a copy, and uses the prefix and the scoreboards of it.
class Supervision {
 public:
  // In the configuration's pool, which ends it.
  static Supervision* create(apr_pool_t* pconf, server_rec* main_server);
  explicit Supervision(server_rec* main_server);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;
  // At a restart nothing happens. When httpd ends, the workers are told to, and waited for.
  ~Supervision();

  // Makes the workers what the configuration wants. When that fails, what ran before goes on.
  base::Result<> apply();
  // Whether workers may be running from before a restart.
  bool inherited() const noexcept { return inherited_; }

  // Takes back what a child that has ended held of the scoreboards.
  void forget_child(pid_t pid) noexcept;
  // Starts a supervisor in the place of one that has ended; does nothing while one runs.
  void revive();
  // httpd has seen the supervisor end.
  void note_end();
  // httpd no longer looks after the supervisor.
  void note_unwatched() noexcept { watched_ = false; }

  // For a child: the descriptors it must not hold.
  void close_in_child() const noexcept;
  const std::string& socket_prefix() const noexcept { return state_.socket_prefix; }
  // Null when it could not be mapped.
  metrics::Scoreboard* scoreboard_or_null(const DaemonGroup& group) const noexcept {
    return scoreboards_[group.number].get();
  }

 private:
  base::Result<> make_it_so();
  base::Result<> prepare_groups();
  base::Result<> prepare_scoreboards();
  base::Result<> prepare_supervisor();
  base::Result<> tell_supervisor();
  void map_scoreboards();
  std::string identity_of(const gateway::ProcessGroup& group,
                          const supervisor::Credentials& credentials) const;
  base::Result<> launch();
  void watch();
  void unwatch() noexcept;
  void describe_groups() const;
  void end_supervisor() noexcept;
  void forget_supervisor() noexcept;

  server_rec* const main_server_;
  const pid_t parent_;
  RetainedSupervisor& retained_;
  const bool inherited_;
  supervisor::WantedState state_;
  RetainedGroups groups_;
  std::vector<int> descriptors_;  // of state_, borrowed from the servers and groups_
  std::vector<std::unique_ptr<metrics::Scoreboard>> scoreboards_;  // by the number of the group
  std::vector<metrics::Scoreboard> former_scoreboards_;            // that children of before use
  bool watched_ = false;  // by httpd, among its other children
};

}  // namespace pyhost::apache

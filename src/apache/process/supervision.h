// The parent's side of the worker processes: one supervisor that outlives restarts, and what it is
// told at each of them.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "apache/config/daemon_group.h"
#include "apache/process/embedded_board.h"
#include "apache/process/group_boards.h"
#include "apache/process/leaving_supervisors.h"
#include "apache/process/metrics_memories.h"
#include "apache/process/retained_groups.h"
#include "apache/process/retained_supervision.h"
#include "apache/process/retelling.h"
#include "apache/process/supervisor_process.h"
#include "apache/process/wanted_groups.h"
#include "base/clock.h"
#include "os/fork_watch.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

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
  // Takes back what a child that has ended held of the scoreboards.
  void forget_child(pid_t pid) noexcept;
  // Every ten seconds or so, and never waits: starts a supervisor in the place of one that has
  // ended or is leaving, and tells one that does not run all that is wanted again, with growing
  // pauses.
  void look_after();
  const std::string& socket_prefix() const noexcept { return wanted_.state().socket_prefix; }
  // The engine plugins that there are.
  const std::vector<plugin::PluginFile>& plugins() const noexcept {
    return wanted_.state().plugins;
  }
  EmbeddedBoard& embedded_board() noexcept { return embedded_board_; }
  // What applications measure.
  const MetricsMemories& metrics() const noexcept { return metrics_; }
  // Null when it could not be mapped.
  scoreboard::Scoreboard* scoreboard_or_null(const DaemonGroup& group) const noexcept {
    return boards_.find_or_null(group);
  }

 private:
  void close_in_fork() noexcept;
  base::Result<> apply_groups();
  base::Result<> make_it_so();
  bool make_part_of_it_so(const std::string& refusal);
  base::Result<> prepare_supervisor();
  base::Result<> tell_supervisor();
  void note_end();
  void lose_supervisor(const char* how);
  void tell_again();
  void heed_answer();
  void fail_to_tell(const std::string& why);
  void describe_groups() const;
  // Whether what is in force is of another build; after that, it is of this one.
  bool is_upgrade() const noexcept { return retained_.era != &era_; }
  void take_over_from_former();
  void end_supervisors() noexcept;
  void forget_supervisor();

  server_rec* const main_server_;
  const pid_t parent_;
  RetainedSupervision& retained_;
  SupervisorEra& era_;    // of this build
  const bool inherited_;  // workers may be running from before a restart
  RetainedGroups groups_;
  RetainedGroups former_groups_;  // of the build that is in force until this one takes over
  LeavingSupervisors leaving_;
  MetricsMemories metrics_;
  WantedGroups wanted_;
  GroupBoards boards_;
  EmbeddedBoard embedded_board_;
  SupervisorProcess supervisor_;
  Retelling retelling_;
  // When the message was sent whose answer look_after() awaits.
  std::optional<base::TimePoint> told_at_;
  std::string complaint_;  // that was logged last
  // Whatever httpd's parent forks off, for modules such as mod_cgid too, has no business with the
  // channel and the files of the scoreboards.
  bool in_fork_ = false;
  std::mutex fork_mutex_;
  const os::ForkWatch fork_watch_{fork_mutex_, [this] { close_in_fork(); }};
};

}  // namespace pyhost::apache

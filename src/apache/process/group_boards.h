// The scoreboards of all process groups, as httpd's parent and its children have them mapped.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "apache/config/daemon_group.h"
#include "apache/process/retained_groups.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::apache {

// One per generation of the configuration. The parent's only thread maps them; a child inherits
// what was mapped before it was made, and uses that from all its threads.
class GroupBoards {
 public:
  // Maps what the supervisor has, be it that what is wanted was refused, and notes in each group
  // where its workers are found. Boards of groups that are not configured any more are for children
  // of before.
  void map(const RetainedGroups& groups, const server_rec* main_server);

  // Null when it could not be mapped. PRECONDITION: map().
  scoreboard::Scoreboard* find_or_null(const DaemonGroup& group) const noexcept {
    return boards_[group.number].get();
  }

  // Takes back what a child that has ended held.
  void forget_child(pid_t pid) noexcept;

 private:
  std::vector<std::unique_ptr<scoreboard::Scoreboard>> boards_;  // by the number of the group
  std::vector<scoreboard::Scoreboard> former_;                   // that children of before use
};

}  // namespace pyhost::apache

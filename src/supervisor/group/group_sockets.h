// The sockets that a group's workers listen at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "supervisor/group/group_log.h"

namespace pyhost::supervisor {

// One for each slot, and those whose files are gone. Single-threaded; the log outlives it.
class GroupSockets {
 public:
  // `prefix` is what the paths of all its sockets begin with.
  GroupSockets(std::string prefix, const GroupLog& log) noexcept
      : prefix_(std::move(prefix)), log_(log) {}

  const std::string& prefix() const noexcept { return prefix_; }
  unsigned size() const noexcept { return sockets_.size(); }
  const launch::ListeningSocket& of(unsigned slot) const { return sockets_[slot]; }

  // Those of before take over what the group's options say, and others come behind them.
  void adopt(std::vector<launch::ListeningSocket> more, const settings::ProcessGroup& group);
  // Makes those anew whose files are gone, of the lowest `slots`. The slots whose workers listen at
  // one that was replaced. That one cannot be made is logged once.
  std::vector<unsigned> mend(const settings::ProcessGroup& group, unsigned slots);
  // Drops those of slots that there are no more.
  void shrink(unsigned slots);
  // Nobody takes what waits at one that was replaced.
  void drop_replaced() noexcept { replaced_.clear(); }

  // Another one, at the path of that row, for a worker that is to be kept in the slot.
  base::Result<launch::ListeningSocket> open_beside(unsigned slot, unsigned row,
                                                    const control::WantedGroup& group) const;

 private:
  const std::string prefix_;
  const GroupLog& log_;
  std::vector<launch::ListeningSocket> sockets_;  // by slot
  // Whose files are gone; workers of before still take what waits there.
  std::vector<launch::ListeningSocket> replaced_;
  std::string problem_;  // that was logged
};

}  // namespace pyhost::supervisor

#include "supervisor/group/group_sockets.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pyhost::supervisor {

void GroupSockets::adopt(std::vector<launch::ListeningSocket> more,
                         const settings::ProcessGroup& group) {
  for (const launch::ListeningSocket& socket : sockets_) socket.adjust(group);
  std::ranges::move(more, std::back_inserter(sockets_));
}

std::vector<unsigned> GroupSockets::mend(const settings::ProcessGroup& group, unsigned slots) {
  std::vector<unsigned> mended;
  std::string problem;
  for (unsigned slot = 0; slot < std::min(size(), slots); ++slot) {
    if (sockets_[slot].in_place()) continue;
    auto made = sockets_[slot].remake(group);
    if (!made) {
      problem = std::move(made).error().sentence;
      continue;
    }
    replaced_.push_back(std::exchange(sockets_[slot], *std::move(made)));
    log_.socket_remade(sockets_[slot].path());
    mended.push_back(slot);
  }
  if (problem != problem_ && !problem.empty()) log_.sockets_missing(problem);
  problem_ = std::move(problem);
  return mended;
}

void GroupSockets::shrink(unsigned slots) {
  while (sockets_.size() > slots) sockets_.pop_back();
}

base::Result<launch::ListeningSocket> GroupSockets::open_beside(
    unsigned slot, unsigned row, const control::WantedGroup& group) const {
  return sockets_[slot].open_beside(launch::socket_path(prefix_, group.index, row), group.options);
}

}  // namespace pyhost::supervisor

#include "apache/process/group_boards.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "apache/config/process_groups.h"
#include "apache/log.h"

namespace pyhost::apache {

void GroupBoards::map(const RetainedGroups& groups, const server_rec* main_server) {
  std::map<std::string_view, DaemonGroup*> configured;
  boards_.clear();
  former_.clear();
  for (DaemonGroup* group : all_process_groups()) {
    group->number = static_cast<std::uint32_t>(boards_.size());
    configured.emplace(group->options.name, group);
    boards_.emplace_back();
  }
  groups.for_each([&](const RetainedGroup& retained) {
    auto board = scoreboard::Scoreboard::map(retained.board, retained.reports);
    if (!board) {
      return log_server(
          main_server, base::LogLevel::error, base::Message::supervision_failed,
          fmt::format("process group '{}': {}", retained.name, board.error().sentence));
    }
    const auto found = configured.find(retained.name);
    if (retained.running == 0 || found == configured.end()) {
      former_.push_back(*std::move(board));
      return;
    }
    DaemonGroup& group = *found->second;
    group.index = retained.index;
    group.worker_uid = retained.worker_uid;
    group.secret = retained.secret();
    boards_[group.number] = std::make_unique<scoreboard::Scoreboard>(*std::move(board));
  });
}

void GroupBoards::forget_child(pid_t pid) noexcept {
  for (const auto& board : boards_) {
    if (board) board->forget_child(pid);
  }
  for (scoreboard::Scoreboard& board : former_) board.forget_child(pid);
}

}  // namespace pyhost::apache

#include "scoreboard/former_board.h"

#include <unistd.h>

#include "scoreboard/scoreboard_memory.h"

namespace pyhost::scoreboard {

bool is_stopped_in(int board) noexcept {
  constexpr off_t kStoppedAt = sizeof(BoardHeader) + offsetof(GroupRow, stopped);
  static_assert(kStoppedAt == 72, "the boards of all builds have it there");
  std::uint32_t stopped = 0;
  return ::pread(board, &stopped, sizeof stopped, kStoppedAt) == sizeof stopped && stopped != 0;
}

}  // namespace pyhost::scoreboard

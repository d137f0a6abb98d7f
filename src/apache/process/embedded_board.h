// The scoreboard of what httpd's children run themselves.
#pragma once

#include <sys/types.h>

#include <optional>

#include "apache/httpd_api.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::apache {

// Nobody waits on it and no worker has a row: it is for what children count and have. Made by
// httpd's parent at its first start and kept over restarts, so that nothing counted is lost; the
// children inherit what is mapped.
class EmbeddedBoard {
 public:
  // A failure is logged, and then nothing is counted.
  explicit EmbeddedBoard(server_rec* main_server);

  // Null when it could not be made or mapped.
  scoreboard::Scoreboard* get_or_null() noexcept { return board_ ? &*board_ : nullptr; }
  // Takes back what a child that has ended held.
  void forget_child(pid_t pid) noexcept;
  // Closes its descriptors, in a process that the parent has forked off.
  void close_in_fork() noexcept;

 private:
  std::optional<scoreboard::Scoreboard> board_;
};

}  // namespace pyhost::apache

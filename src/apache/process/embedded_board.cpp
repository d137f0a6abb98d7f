#include "apache/process/embedded_board.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "apache/log.h"
#include "apache/process/board_size.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::apache {
namespace {

constexpr char kRetainedKey[] = "mod_pyhost embedded board";

// In memory that httpd keeps. The module of another build reads it after an upgrade, so it stays as
// it is.
struct RetainedBoard {
  char build[gateway::kBuildIdBytesMax + 1];
  int board;  // these two are close-on-exec; -1: there is none
  int reports;
};

RetainedBoard* retained_or_null() noexcept {
  return static_cast<RetainedBoard*>(ap_retained_data_get(kRetainedKey));
}

void close_files_of(RetainedBoard& retained) noexcept {
  for (int* file : {&retained.board, &retained.reports}) {
    if (*file >= 0) ::close(std::exchange(*file, -1));
  }
}

base::Result<RetainedBoard*> make() {
  RetainedBoard* retained = retained_or_null();
  if (retained == nullptr) {
    retained =
        static_cast<RetainedBoard*>(ap_retained_data_create(kRetainedKey, sizeof(RetainedBoard)));
    retained->board = retained->reports = -1;
  }
  // Children of before, of another build, have mapped what they use.
  close_files_of(*retained);
  PH_TRY(files, scoreboard::make_board_files(embedded_board_size()));
  std::strncpy(retained->build, gateway::kBuildId, gateway::kBuildIdBytesMax);
  retained->board = files.board.release();
  retained->reports = files.reports.release();
  return retained;
}

base::Result<scoreboard::Scoreboard> map_or_make() {
  RetainedBoard* retained = retained_or_null();
  const bool is_ours = retained != nullptr && retained->board >= 0 &&
                       std::string_view(retained->build) == gateway::kBuildId;
  if (!is_ours) {
    PH_TRY(made, make());
    retained = made;
  }
  return scoreboard::Scoreboard::map(retained->board, retained->reports);
}

}  // namespace

EmbeddedBoard::EmbeddedBoard(server_rec* main_server) {
  auto board = map_or_make();
  if (board) {
    board_.emplace(*std::move(board));
    return;
  }
  log_server(main_server, base::LogLevel::error, base::Message::embedded_board_failed,
             fmt::format("requests that httpd's own processes run are not counted: {}",
                         board.error().sentence));
}

void EmbeddedBoard::forget_child(pid_t pid) noexcept {
  if (board_) board_->forget_child(pid);
}

void EmbeddedBoard::close_in_fork() noexcept {
  if (RetainedBoard* retained = retained_or_null()) close_files_of(*retained);
}

}  // namespace pyhost::apache

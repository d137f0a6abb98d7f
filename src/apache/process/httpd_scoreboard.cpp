#include "apache/process/httpd_scoreboard.h"

#include <scoreboard.h>
#include <string.h>

namespace pyhost::apache {
namespace {

using gateway::ServerBoard;
using gateway::ServerProcess;
using gateway::ServerThread;

// As mod_status shows them.
constexpr std::string_view kStatuses = ".S_RWKLDCGI";
static_assert(kStatuses.size() == SERVER_NUM_STATUS);

// A text that another process may be writing.
template <std::size_t N>
std::string text_of(const char (&text)[N]) {
  return {text, ::strnlen(text, N)};
}

ServerThread thread_at(int process, int thread) {
  worker_score score;
  ap_copy_scoreboard_worker(&score, process, thread);
  return {.number = thread,
          .generation = score.generation,
          .status = score.status < kStatuses.size() ? kStatuses[score.status] : '?',
          .access_count = score.access_count,
          .bytes_served = static_cast<std::uint64_t>(score.bytes_served),
          .start_us = score.start_time,
          .stop_us = score.stop_time,
          .last_used_us = score.last_used,
          .client = text_of(score.client64),
          .request = text_of(score.request),
          .vhost = text_of(score.vhost)};
}

ServerProcess process_at(int number, int threads) {
  const process_score& score = *ap_get_scoreboard_process(number);
  ServerProcess process{.number = number,
                        .pid = score.pid,
                        .generation = score.generation,
                        .quiescing = score.quiescing != 0,
                        .threads = {}};
  for (int thread = 0; thread < threads; ++thread) {
    process.threads.push_back(thread_at(number, thread));
  }
  return process;
}

}  // namespace

std::optional<ServerBoard> HttpdScoreboard::look() const {
  if (!ap_exists_scoreboard_image()) return std::nullopt;
  const global_score& global = *ap_get_scoreboard_global();
  ServerBoard board{.server_limit = global.server_limit,
                    .thread_limit = global.thread_limit,
                    .generation = global.running_generation,
                    .restart_us = global.restart_time,
                    .processes = {}};
  for (int process = 0; process < board.server_limit; ++process) {
    board.processes.push_back(process_at(process, board.thread_limit));
  }
  return board;
}

}  // namespace pyhost::apache

#include "apache/child_engines.h"

#include <fcntl.h>
#include <unistd.h>

#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process_groups.h"
#include "apache/worker_config.h"
#include "supervisor/listening_socket.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;

remote::RemoteSettings remote_settings(const DaemonGroup& group, const std::string& socket_prefix,
                                       const std::string& temporary_folder) {
  const auto& options = group.options;
  remote::RemoteSettings settings{.process_group = options.name,
                                  .group_index = group.index,
                                  .threads = options.threads,
                                  .worker_uid = group.worker_uid,
                                  .secret = group.secret,
                                  .queue_max = options.queue,
                                  .queue_timeout = options.queue_timeout,
                                  .connect_timeout = options.connect_timeout,
                                  .socket_timeout = socket_timeout_of(group),
                                  .response_socket_timeout = options.response_socket_timeout,
                                  .response_flush_delay = options.response_flush_delay,
                                  .send_buffer_bytes = options.send_buffer_size_bytes,
                                  .receive_buffer_bytes = options.receive_buffer_size_bytes,
                                  .temporary_folder = temporary_folder};
  if (options.startup_timeout.count() != 0) settings.renewal_timeout = options.startup_timeout;
  if (const auto bytes = options.response_buffer_size_bytes; bytes != 0) {
    settings.response_buffer_bytes = bytes;
  }
  if (const auto bytes = options.header_buffer_size_bytes; bytes != 0) {
    settings.header_line_bytes_max = bytes;
  }
  for (unsigned slot = 0; slot < worker_count(options); ++slot) {
    settings.socket_paths.push_back(supervisor::socket_path(socket_prefix, group.index, slot));
  }
  return settings;
}

std::string temporary_folder() {
  const char* folder = nullptr;
  const bool found = apr_temp_dir_get(&folder, ap_server_conf->process->pool) == APR_SUCCESS;
  return found ? folder : "/tmp";
}

}  // namespace

ChildEngines::ChildEngines(const Supervision& supervision) {
  supervision.close_in_child();
  if (!all_process_groups().empty()) join_groups(supervision);
}

ChildEngines::~ChildEngines() {
  for (auto& engine : remote_) static_cast<void>(engine.release());
  static_cast<void>(scoreboard_.release());
}

void ChildEngines::join_groups(const Supervision& supervision) {
  const auto fail = [](Message message, std::string_view why) {
    log_server(ap_server_conf, LogLevel::error, message, why);
  };
  auto board = metrics::Scoreboard::map(
      base::UniqueFd(fcntl(supervision.scoreboard_fd(), F_DUPFD_CLOEXEC, 3)));
  if (!board) return fail(Message::supervision_failed, board.error().sentence);
  scoreboard_ = std::make_unique<metrics::Scoreboard>(*std::move(board));
  const auto seat = scoreboard_->take_seat(getpid());
  if (!seat) {
    return fail(Message::seats_exhausted,
                "the scoreboard of the workers has no row left for "
                "this child; its requests for them are answered 503");
  }
  const std::string folder = temporary_folder();
  for (const DaemonGroup* group : all_process_groups()) {
    if (remote_.size() <= group->index) remote_.resize(group->index + 1);
    remote_[group->index] = std::make_unique<remote::RemoteEngine>(
        *scoreboard_, *seat, remote_settings(*group, supervision.socket_prefix(), folder));
  }
}

gateway::Outcome ChildEngines::run(const DaemonGroup* group, const gateway::Target& target,
                                   gateway::Exchange& exchange, remote::Buffering buffering) {
  if (group == nullptr) return embedded_.run(target, exchange);
  if (group->index < remote_.size() && remote_[group->index] != nullptr) {
    return remote_[group->index]->run(target, exchange, buffering);
  }
  exchange.log(LogLevel::error, Message::worker_unreachable,
               "this httpd child could not reach the workers when it started");
  return {.kind = gateway::Outcome::Kind::refused, .status = HTTP_SERVICE_UNAVAILABLE};
}

}  // namespace pyhost::apache

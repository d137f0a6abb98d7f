#include "apache/process/child_engines.h"

#include <fmt/format.h>
#include <unistd.h>

#include "apache/config/process_groups.h"
#include "apache/config/worker_config.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "launch/listening_socket.h"
#include "remote/remote_engine.h"
#include "scoreboard/board_rows.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;

remote::RemoteSettings remote_settings(const DaemonGroup& group, const std::string& socket_prefix,
                                       const std::string& temporary_folder) {
  remote::RemoteSettings settings{.group = group.options,
                                  .worker_uid = group.worker_uid,
                                  .secret = group.secret,
                                  .socket_timeout = socket_timeout_of(group),
                                  .temporary_folder = temporary_folder};
  settings.rows_per_slot = scoreboard::kRowsOfSlot;
  for (unsigned row = 0; row < scoreboard::row_of(worker_count(group.options)); ++row) {
    settings.socket_paths.push_back(launch::socket_path(socket_prefix, group.index, row));
  }
  return settings;
}

std::string temporary_folder() {
  const char* folder = nullptr;
  const bool found = apr_temp_dir_get(&folder, ap_server_conf->process->pool) == APR_SUCCESS;
  return found ? folder : "/tmp";
}

// What this child writes of it.
gateway::MetricsMemory own_metrics(const Supervision& supervision, scoreboard::ChildId child) {
  const auto* memory = supervision.metrics().memory_or_null("");
  if (memory == nullptr) return {};
  return {.bytes = memory->bytes(),
          .slot = child.index,
          .lane = child.index,
          .owner = static_cast<std::uint32_t>(getpid())};
}

// Runs nothing: of a group that this child has no part in.
class NoWorkers final : public gateway::ClientRunner {
 public:
  explicit NoWorkers(const DaemonGroup& group)
      : why_(fmt::format("this httpd child could not reach process group '{}' when it started; the "
                         "error log of that moment says why",
                         group.options.name)) {}
  gateway::Outcome run(const gateway::Target&,
                       gateway::ClientExchange& exchange) noexcept override {
    exchange.log(LogLevel::error, Message::worker_unreachable, why_);
    return refusal();
  }
  gateway::AskResult ask(const gateway::Target&, const gateway::Question&,
                         gateway::ClientCaller& caller) noexcept override {
    caller.log(LogLevel::error, Message::worker_unreachable, why_);
    return tl::unexpected(refusal());
  }

 private:
  static gateway::Outcome refusal() {
    return {.kind = gateway::Outcome::Kind::refused,
            .status = HTTP_SERVICE_UNAVAILABLE,
            .failure = gateway::FailureCause::start_failed};
  }

  const std::string why_;
};

ChildEngines* engines_of_child = nullptr;

}  // namespace

ChildEngines::ChildEngines(Supervision& supervision)
    : temporary_folder_(temporary_folder()), embedded_(temporary_folder_) {
  if (scoreboard::Scoreboard* board = supervision.embedded_board().get_or_null()) {
    if (const auto child = board->add_child(getpid())) {
      embedded_tally_ = board->tally(*child);
      embedded_.keep_metrics_in(own_metrics(supervision, *child));
    }
  }
  for (const DaemonGroup* group : all_process_groups()) {
    groups_.push_back(join(supervision, *group));
  }
}

ChildEngines::~ChildEngines() {
  for (Membership& group : groups_) static_cast<void>(group.runner.release());
}

ChildEngines::Membership ChildEngines::join(const Supervision& supervision,
                                            const DaemonGroup& group) const {
  scoreboard::Scoreboard* scoreboard = supervision.scoreboard_or_null(group);
  // Which the parent has told.
  if (scoreboard == nullptr) return {.runner = std::make_unique<NoWorkers>(group), .tally = {}};
  const auto child = scoreboard->add_child(getpid());
  if (!child) {
    log_server(group.server, LogLevel::error, Message::child_rows_exhausted,
               fmt::format("the scoreboard of process group '{}' has no row left for this child; "
                           "its requests for the group are answered 503",
                           group.options.name));
    return {.runner = std::make_unique<NoWorkers>(group), .tally = {}};
  }
  return {.runner = std::make_unique<remote::RemoteEngine>(
              *scoreboard, *child,
              remote_settings(group, supervision.socket_prefix(), temporary_folder_)),
          .tally = scoreboard->tally(*child)};
}

void ChildEngines::start(apr_pool_t* pchild, Supervision& supervision) {
  engines_of_child = pool_new<ChildEngines>(pchild, supervision);
}

ChildEngines* ChildEngines::of_this_child_or_null() noexcept {
  return engines_of_child;
}

gateway::ClientRunner& ChildEngines::runner(const DaemonGroup* group) noexcept {
  if (group == nullptr) return embedded_;
  return *groups_[group->number].runner;
}

std::optional<scoreboard::Tally> ChildEngines::tally(const DaemonGroup* group) const noexcept {
  return group == nullptr ? embedded_tally_ : groups_[group->number].tally;
}

}  // namespace pyhost::apache

#include "apache/supervision.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process_groups.h"
#include "apache/worker_config.h"
#include "pyhost/gateway/operator_protocol.h"
#include "supervisor/credentials.h"

namespace pyhost::apache {

using base::LogLevel;
using base::Message;
using std::chrono::milliseconds;

struct RetainedSupervisor {
  pid_t pid;  // 0: none runs
  int control;
  apr_time_t launched;
  apr_array_header_t* groups;  // see RetainedGroups
  std::uint32_t next_index;
};

namespace {

constexpr char kRetainedKey[] = "mod_pyhost supervisor";
// A supervisor that ends at once is not started again in the same breath.
constexpr apr_time_t kLaunchPause = apr_time_from_sec(1);
// Beyond its workers' own budgets.
constexpr milliseconds kSupervisorBudget{2000};

RetainedSupervisor& retained_supervisor(apr_pool_t* process_pool) {
  auto* retained = static_cast<RetainedSupervisor*>(ap_retained_data_get(kRetainedKey));
  if (retained == nullptr) {
    retained = static_cast<RetainedSupervisor*>(
        ap_retained_data_create(kRetainedKey, sizeof(RetainedSupervisor)));
    retained->groups = RetainedGroups::make_table(process_pool);
  }
  return *retained;
}

// Where stderr and the records of a server's processes go; the main server's when its log is no
// file, as with syslog.
int log_descriptor(const server_rec* s) {
  apr_os_file_t fd = STDERR_FILENO;
  for (const server_rec* candidate : {s, static_cast<const server_rec*>(ap_server_conf)}) {
    if (candidate->error_log == nullptr) continue;
    if (apr_os_file_get(&fd, candidate->error_log) == APR_SUCCESS) return fd;
  }
  return STDERR_FILENO;
}

std::string prefix_of_sockets(apr_pool_t* pool) {
  const auto own = process_settings().socket_prefix;
  const char* prefix = own ? ap_server_root_relative(pool, pool_c_string(pool, *own))
                           : ap_runtime_dir_relative(pool, gateway::kDefaultSocketName);
  return std::string(view_or_empty(prefix));
}

unsigned children_max() {
  int number = 0;
  ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &number);
  return static_cast<unsigned>(std::max(number, 1));
}

// Of one child at a time: its own threads, and those of mod_http2, of which there are half as many
// again unless H2MaxWorkers says more.
unsigned waiters_of_child() {
  int threads = 0;
  ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &threads);
  return 3 * static_cast<unsigned>(std::max(threads, 1));
}

void on_supervisor(int reason, void* data, int) {
  auto& supervision = *static_cast<Supervision*>(data);
  if (reason == APR_OC_REASON_UNREGISTER) {
    supervision.note_unwatched();
  } else if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
    supervision.note_end();
  }
}

// Whether the other end of a control channel is closed.
bool is_closed(int control) noexcept {
  char byte = 0;
  return recv(control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

Supervision* Supervision::create(apr_pool_t* pconf, server_rec* main_server) {
  return pool_new<Supervision>(pconf, main_server);
}

Supervision::Supervision(server_rec* main_server)
    : main_server_(main_server),
      parent_(getpid()),
      retained_(retained_supervisor(main_server->process->pool)),
      inherited_(retained_.pid != 0),
      groups_(retained_.groups, retained_.next_index) {
  const std::string folder = gateway::folder_of_this_object();
  state_.build = gateway::kBuildId;
  state_.worker_program = folder + "/pyhost-worker";
  const std::string prefix = prefix_of_sockets(main_server->process->pconf);
  state_.socket_prefix = fmt::format("{}.{}", prefix, parent_);
  state_.operator_socket = prefix + gateway::kOperatorSocketSuffix;
  state_.httpd = httpd_identity();
  state_.log_level =
      static_cast<LogLevel>(std::min(ap_get_server_module_loglevel(main_server, APLOG_MODULE_INDEX),
                                     static_cast<int>(LogLevel::trace)));
}

Supervision::~Supervision() {
  const bool ending = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING;
  if (getpid() == parent_ && ending) end_supervisor();
}

void Supervision::close_in_child() const noexcept {
  if (getpid() == parent_) return;
  if (retained_.pid != 0) close(retained_.control);
  groups_.for_each([](const RetainedGroup& group) {
    close(group.board);
    close(group.reports);
  });
}

base::Result<> Supervision::apply() {
  if (all_process_groups().empty() && !inherited_) return {};
  const base::Result<> applied = make_it_so();
  if (applied) groups_.accept();
  map_scoreboards();
  if (applied) describe_groups();
  return applied;
}

base::Result<> Supervision::make_it_so() {
  PH_TRY_VOID(prepare_groups());
  PH_TRY_VOID(prepare_scoreboards());
  PH_TRY_VOID(prepare_supervisor());
  return tell_supervisor();
}

std::string Supervision::identity_of(const gateway::ProcessGroup& group,
                                     const supervisor::Credentials& credentials) const {
  return fmt::format("{}\n{}\n{}\n{}\n{}", group.name, credentials.uid, credentials.gid,
                     group.socket_user, state_.socket_prefix);
}

base::Result<> Supervision::prepare_groups() {
  // The supervisor's own log comes first.
  descriptors_ = {log_descriptor(main_server_)};
  state_.groups.clear();
  for (DaemonGroup* group : all_process_groups()) {
    PH_TRY(python, python_of(*group));
    const GroupService service = service_of(main_server_, *group);
    group->only_script = service.only_script;
    const int log = log_descriptor(group->server);
    auto known = std::ranges::find(descriptors_, log);
    if (known == descriptors_.end()) known = descriptors_.insert(descriptors_.end(), log);
    state_.groups.push_back(
        {.options = group->options,
         .log = static_cast<unsigned>(known - descriptors_.begin()),
         .worker_settings = to_json(worker_settings(main_server_, *group, python, service))});
  }
  return {};
}

// A scoreboard stays the same over restarts, so that children of before find the workers of after.
base::Result<> Supervision::prepare_scoreboards() {
  groups_.begin();
  for (supervisor::WantedGroup& wanted : state_.groups) {
    PH_TRY(credentials, supervisor::resolve_credentials(wanted.options, state_.httpd));
    PH_TRY(retained, groups_.want(wanted.options.name, identity_of(wanted.options, credentials),
                                  credentials.uid,
                                  {.slots = std::max(worker_count(wanted.options), 1u),
                                   .children = children_max(),
                                   .waiters = waiters_of_child()}));
    wanted.index = retained.index;
    wanted.board = static_cast<unsigned>(descriptors_.size());
    wanted.reports = wanted.board + 1;
    descriptors_.insert(descriptors_.end(), {retained.board, retained.reports});
  }
  return {};
}

// What children are to use: what the supervisor has, be it that what is wanted was refused. Those
// that are not configured any more are for children of before.
void Supervision::map_scoreboards() {
  std::map<std::string_view, DaemonGroup*> configured;
  scoreboards_.clear();
  for (DaemonGroup* group : all_process_groups()) {
    group->number = static_cast<std::uint32_t>(scoreboards_.size());
    configured.emplace(group->options.name, group);
    scoreboards_.emplace_back();
  }
  groups_.for_each([&](const RetainedGroup& retained) {
    auto board = metrics::Scoreboard::map(retained.board, retained.reports);
    if (!board) {
      return log_server(
          main_server_, LogLevel::error, Message::supervision_failed,
          fmt::format("process group '{}': {}", retained.name, board.error().sentence));
    }
    const auto found = configured.find(retained.name);
    if (retained.running == 0 || found == configured.end()) {
      former_scoreboards_.push_back(*std::move(board));
      return;
    }
    DaemonGroup& group = *found->second;
    group.index = retained.index;
    group.worker_uid = retained.worker_uid;
    scoreboards_[group.number] = std::make_unique<metrics::Scoreboard>(*std::move(board));
  });
}

base::Result<> Supervision::prepare_supervisor() {
  if (retained_.pid != 0 && is_closed(retained_.control)) forget_supervisor();
  if (retained_.pid == 0) return launch();
  watch();
  return {};
}

base::Result<> Supervision::launch() {
  const std::string program = gateway::folder_of_this_object() + "/pyhost-supervisor";
  PH_TRY(link, supervisor::launch_supervisor(program, descriptors_.front()));
  retained_.pid = link.pid;
  retained_.control = link.control.release();
  retained_.launched = apr_time_now();
  watch();
  return {};
}

void Supervision::watch() {
  unwatch();
  apr_pool_t* pconf = main_server_->process->pconf;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(pconf, sizeof(apr_proc_t)));
  process->pid = retained_.pid;
  apr_proc_other_child_register(process, on_supervisor, this, nullptr, pconf);
  watched_ = true;
}

void Supervision::unwatch() noexcept {
  if (watched_) apr_proc_other_child_unregister(this);
}

base::Result<> Supervision::tell_supervisor() {
  return supervisor::send_wanted_state(retained_.control, state_, descriptors_);
}

void Supervision::describe_groups() const {
  for (const DaemonGroup* group : all_process_groups()) {
    const auto& options = group->options;
    const std::string where =
        group->only_script.empty()
            ? "applications without WSGIApplicationGroup run in sub-interpreters of their own"
            : fmt::format(
                  "its one application {} runs in the main interpreter unless "
                  "WSGIApplicationGroup says otherwise",
                  group->only_script);
    log_server(
        group->server, LogLevel::info, Message::process_group_described,
        fmt::format("process group '{}': {} workers with {} threads as uid {}; {}", options.name,
                    worker_count(options), options.threads, group->worker_uid, where));
  }
}

void Supervision::forget_child(pid_t pid) noexcept {
  for (const auto& scoreboard : scoreboards_) {
    if (scoreboard) scoreboard->forget_child(pid);
  }
  for (metrics::Scoreboard& scoreboard : former_scoreboards_) scoreboard.forget_child(pid);
}

void Supervision::note_end() {
  unwatch();
  log_server(main_server_, LogLevel::error, Message::supervisor_lost,
             fmt::format("pyhost-supervisor (pid {}) has ended; its workers finish what they have",
                         retained_.pid));
  const bool lived = apr_time_now() - retained_.launched >= kLaunchPause;
  forget_supervisor();
  if (lived) revive();
}

void Supervision::revive() {
  if (retained_.pid != 0 || state_.groups.empty()) return;
  auto revived = launch();
  if (revived) revived = tell_supervisor();
  if (revived) return;
  log_server(main_server_, LogLevel::crit, Message::supervision_failed, revived.error().sentence);
}

// Closing the channel is the sign; the supervisor then ends every worker in its budget.
void Supervision::end_supervisor() noexcept {
  if (retained_.pid == 0) return;
  close(retained_.control);
  milliseconds budget = kSupervisorBudget;
  for (const auto& group : state_.groups) {
    const gateway::WorkerLimits limits = gateway::limits_of(group.options);
    budget = std::max(budget, std::max(limits.graceful_timeout, limits.eviction_timeout) +
                                  limits.shutdown_timeout + kSupervisorBudget);
  }
  const base::UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, retained_.pid, 0)));
  pollfd ended{.fd = process.get(), .events = POLLIN};
  if (process.valid() && poll(&ended, 1, static_cast<int>(budget.count())) == 0) {
    kill(retained_.pid, SIGKILL);
  }
  waitpid(retained_.pid, nullptr, 0);
  retained_.pid = 0;
}

void Supervision::forget_supervisor() noexcept {
  close(retained_.control);
  waitpid(retained_.pid, nullptr, WNOHANG);
  retained_.pid = 0;
}

}  // namespace pyhost::apache

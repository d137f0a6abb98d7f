#include "apache/process/supervision.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/config/socket_prefix.h"
#include "apache/config/worker_config.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process/embedded_engine.h"
#include "base/clock.h"
#include "control/operator_protocol.h"
#include "control/worker_limits.h"
#include "launch/credentials.h"
#include "scoreboard/board_rows.h"
#include "scoreboard/former_board.h"

namespace pyhost::apache {

using base::LogLevel;
using base::Message;
using std::chrono::milliseconds;

namespace {

// A supervisor that ends at once is not started again in the same breath.
constexpr std::chrono::seconds kLaunchPause{1};
// Beyond its workers' own budgets.
constexpr milliseconds kSupervisorBudget{2000};

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

void close_files_of_group(const RetainedGroup& group) noexcept {
  close(group.board);
  close(group.reports);
}

void close_files_of(SupervisorEra& era) {
  if (era.pid != 0) close(era.control);
  std::uint32_t unused = 0;
  RetainedGroups(era.groups, unused).for_each(close_files_of_group);
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
      retained_(retained_supervision(main_server->process->pool)),
      era_(*era_of_this_build(retained_, main_server->process->pool)),
      inherited_(retained_.era->pid != 0),
      groups_(era_.groups, retained_.next_index),
      leaving_(main_server->process, retained_),
      logs_(main_server) {
  const std::string folder = plugin::folder_of_this_object();
  state_.plugins = plugin::find_plugins(folder);
  const std::string prefix = configured_socket_prefix(main_server->process->pconf);
  state_.socket_prefix = fmt::format("{}.{}", prefix, parent_);
  state_.operator_socket = prefix + control::kOperatorSocketSuffix;
  state_.httpd = httpd_identity();
  state_.python_home = process_settings().python_home.value_or("");
  state_.log_level =
      static_cast<LogLevel>(std::min(ap_get_server_module_loglevel(main_server, APLOG_MODULE_INDEX),
                                     static_cast<int>(LogLevel::trace)));
}

Supervision::~Supervision() {
  const bool ending = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING;
  if (getpid() == parent_ && ending) end_supervisors();
}

void Supervision::close_in_fork() noexcept {
  if (std::exchange(in_fork_, true)) return;
  close_files_of(era_);
  if (is_upgrade()) close_files_of(*retained_.era);
  leaving_.close_channels();
}

base::Result<> Supervision::apply() {
  if (all_process_groups().empty() && !inherited_) return {};
  const base::Result<> applied = make_it_so();
  const bool in_part = !applied && is_upgrade() && make_part_of_it_so(applied.error().sentence);
  if (applied || in_part) groups_.accept();
  if (is_upgrade()) {
    if (applied || in_part) {
      take_over_from_former();
    } else if (era_.pid != 0) {
      // The one of the other build goes on, for its own children.
      forget_supervisor();
    }
  }
  map_scoreboards();
  if (!applied) {
    tell_operators(with_places(applied.error().sentence));
    return applied;
  }
  describe_groups();
  note_missing_logs();
  return {};
}

// Why what httpd wants was refused, or "". If it does not arrive, they know less, and nothing else.
void Supervision::tell_operators(const std::string& refusal) {
  if (era_.pid == 0) return;
  (void)control::tell_refusal(era_.control, ++retained_.messages, refusal);
}

base::Result<> Supervision::make_it_so() {
  // From here on there is something that can be told again.
  retelling_.begin(base::Clock::now());
  PH_TRY_VOID(prepare_groups());
  PH_TRY_VOID(prepare_supervisor());
  return tell_supervisor();
}

// The children that are about to come know nothing of what ran before an upgrade, so groups that
// can be served are. The others are tried again.
bool Supervision::make_part_of_it_so(const std::string& refusal) {
  if (era_.pid == 0) return false;
  state_.revival = true;
  if (!send_state() || !control::await_answer(era_.control, retained_.messages)) return false;
  complaint_ = refusal;
  retelling_.fail(base::Clock::now());
  return true;
}

std::string Supervision::identity_of(const settings::ProcessGroup& group,
                                     const launch::Credentials& credentials) const {
  return fmt::format("{}\n{}\n{}\n{}\n{}", group.name, credentials.uid, credentials.gid,
                     group.socket_user, state_.socket_prefix);
}

// What can be prepared is, whatever else fails: a supervisor that takes the place of this one may
// have to serve it.
base::Result<> Supervision::prepare_groups() {
  // The supervisor's own log comes first.
  descriptors_ = {logs_.descriptor_of(main_server_)};
  state_.groups.clear();
  groups_.begin();
  base::Result<> outcome;
  for (DaemonGroup* group : all_process_groups()) {
    auto prepared = prepare_group(*group);
    if (!prepared && outcome) outcome = std::move(prepared);
  }
  return outcome;
}

// Once for each server that has groups and no log for what they say.
void Supervision::note_missing_logs() {
  std::vector<const server_rec*> noted;
  for (const DaemonGroup* group : all_process_groups()) {
    const server_rec* s = group->server;
    if (std::ranges::find(noted, s) != noted.end()) continue;
    noted.push_back(s);
    const auto problem = logs_.problem_of(s);
    if (!problem) continue;
    log_server(main_server_, LogLevel::notice, Message::log_is_no_file,
               fmt::format("process group '{}': what its workers say that belongs to no request {}",
                           group->options.name, *problem));
  }
}

base::Result<> Supervision::prepare_group(DaemonGroup& group) {
  if (state_.plugins.empty()) {
    return base::fail(fmt::format("WSGIDaemonProcess {}: {}", group.options.name,
                                  find_plugin().error().sentence));
  }
  PH_TRY(credentials, launch::resolve_credentials(group.options, state_.httpd));
  const GroupService service = service_of(main_server_, group);
  group.only_script = service.only_script;
  // A scoreboard stays the same over restarts, so that children of before find the workers of
  // after.
  PH_TRY(retained,
         groups_.want(group.options.name, identity_of(group.options, credentials), credentials.uid,
                      {.slots = scoreboard::row_of(std::max(worker_count(group.options), 1u)),
                       .children = children_max(),
                       .waiters = waiters_of_child()}));
  if (is_upgrade() && is_stopped_in_former(group.options.name)) {
    PH_TRY(board, scoreboard::Scoreboard::map(retained.board, retained.reports));
    board.stop_group();
  }
  const int log = logs_.descriptor_of(group.server);
  auto known = std::ranges::find(descriptors_, log);
  if (known == descriptors_.end()) known = descriptors_.insert(descriptors_.end(), log);
  const auto log_position = static_cast<unsigned>(known - descriptors_.begin());
  const auto board_position = static_cast<unsigned>(descriptors_.size());
  descriptors_.insert(descriptors_.end(), {retained.board, retained.reports});
  control::WorkerSettings settings = worker_settings(main_server_, group, service);
  settings.secret = retained.secret();
  state_.groups.push_back({.options = group.options,
                           .index = retained.index,
                           .log = log_position,
                           .board = board_position,
                           .reports = board_position + 1,
                           .worker_settings = to_json(settings)});
  return {};
}

bool Supervision::is_stopped_in_former(std::string_view name) const {
  bool stopped = false;
  std::uint32_t unused = 0;
  RetainedGroups(retained_.era->groups, unused).for_each([&](const RetainedGroup& former) {
    if (former.running == 0 || former.name != name) return;
    stopped = scoreboard::is_stopped_in(former.board);
  });
  return stopped;
}

// What children are to use: what the supervisor has, be it that what is wanted was refused. Those
// that are not configured any more are for children of before.
void Supervision::map_scoreboards() {
  std::map<std::string_view, DaemonGroup*> configured;
  scoreboards_.clear();
  former_scoreboards_.clear();
  for (DaemonGroup* group : all_process_groups()) {
    group->number = static_cast<std::uint32_t>(scoreboards_.size());
    configured.emplace(group->options.name, group);
    scoreboards_.emplace_back();
  }
  groups_.for_each([&](const RetainedGroup& retained) {
    auto board = scoreboard::Scoreboard::map(retained.board, retained.reports);
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
    group.secret = retained.secret();
    scoreboards_[group.number] = std::make_unique<scoreboard::Scoreboard>(*std::move(board));
  });
}

base::Result<> Supervision::prepare_supervisor() {
  if (era_.pid != 0 && is_closed(era_.control)) forget_supervisor();
  if (era_.pid == 0) return launch();
  watch();
  return {};
}

base::Result<> Supervision::launch() {
  const std::string folder = plugin::folder_of_this_object();
  const control::Programs programs{.supervisor = folder + "/pyhost-supervisor",
                                   .worker = folder + "/pyhost-worker"};
  PH_TRY(link, control::launch_supervisor(programs, descriptors_.front()));
  era_.pid = link.pid;
  era_.control = link.control.release();
  launched_ = base::Clock::now();
  watch();
  return {};
}

void Supervision::watch() {
  unwatch();
  apr_pool_t* pconf = main_server_->process->pconf;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(pconf, sizeof(apr_proc_t)));
  process->pid = era_.pid;
  apr_proc_other_child_register(process, on_supervisor, this, nullptr, pconf);
  watched_ = true;
}

void Supervision::unwatch() noexcept {
  if (watched_) apr_proc_other_child_unregister(this);
}

// Waits for the answer. What is refused is not told again: what ran before goes on.
base::Result<> Supervision::tell_supervisor() {
  state_.revival = false;
  PH_TRY_VOID(send_state());
  PH_TRY(answer, control::await_answer(era_.control, retained_.messages));
  retelling_.succeed();
  return control::outcome_of(answer);
}

base::Result<> Supervision::send_state() {
  return control::send_wanted_state(era_.control, ++retained_.messages, state_, descriptors_);
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
  for (scoreboard::Scoreboard& scoreboard : former_scoreboards_) scoreboard.forget_child(pid);
}

void Supervision::lose_supervisor(const char* how) {
  log_server(main_server_, LogLevel::error, Message::supervisor_lost,
             fmt::format("pyhost-supervisor (pid {}) {}; its workers finish what they have",
                         era_.pid, how));
  // It may have answered since we looked.
  if (told_at_) heed_answer();
  const auto now = base::Clock::now();
  const bool begun = !told_at_ && now - launched_ >= kLaunchPause;
  forget_supervisor();
  if (begun) {
    retelling_.begin(now);
  } else {
    fail_to_tell("pyhost-supervisor ends before it has begun; its last words are in the error log");
  }
}

void Supervision::note_end() {
  lose_supervisor("has ended");
  look_after();
}

void Supervision::look_after() {
  if (era_.pid != 0 && is_closed(era_.control)) lose_supervisor("leaves");
  if (state_.groups.empty()) return;
  if (told_at_) heed_answer();
  if (!told_at_ && retelling_.due(base::Clock::now())) tell_again();
}

void Supervision::tell_again() {
  auto told = era_.pid == 0 ? launch() : base::Result<>();
  state_.revival = true;
  if (told) told = send_state();
  if (!told) return fail_to_tell(told.error().sentence);
  told_at_ = base::Clock::now();
}

void Supervision::heed_answer() {
  const auto now = base::Clock::now();
  const auto answer = control::take_answer(era_.control, retained_.messages);
  if (!answer) return fail_to_tell(answer.error().sentence);
  if (!*answer) {
    if (now - *told_at_ >= control::kAnswerPatience) {
      fail_to_tell("pyhost-supervisor does not answer");
    }
    return;
  }
  const auto outcome = control::outcome_of(**answer);
  if (!outcome) return fail_to_tell(outcome.error().sentence);
  told_at_.reset();
  complaint_.clear();
  retelling_.succeed();
  const bool complete = state_.groups.size() == all_process_groups().size();
  if (complete) tell_operators("");
  // For children that are still to come.
  groups_.accept();
  map_scoreboards();
}

void Supervision::fail_to_tell(const std::string& why) {
  told_at_.reset();
  retelling_.fail(base::Clock::now());
  if (why == complaint_) return;
  complaint_ = why;
  log_server(main_server_, LogLevel::crit, Message::supervision_failed,
             with_places(why) + "; it is tried again until it succeeds");
}

// It serves the children that know its workers, and leaves when they have gone.
void Supervision::take_over_from_former() {
  SupervisorEra& former = *retained_.era;
  retained_.era = &era_;
  if (former.pid == 0) return;
  const auto told = control::retire(former.control, ++retained_.messages);
  if (!told) close(std::exchange(former.control, -1));
  leaving_.add(former.pid, former.control);
  RetainedGroups(former.groups, retained_.next_index).for_each(close_files_of_group);
  log_server(main_server_, LogLevel::notice, Message::supervisor_upgraded,
             fmt::format("pyhost-supervisor (pid {}) of build {} has a successor of build {}",
                         former.pid, former.build, era_.build));
}

// Closing the channel is the sign; a supervisor then ends every worker in its budget.
void Supervision::end_supervisors() noexcept {
  milliseconds budget = kSupervisorBudget;
  for (const auto& group : state_.groups) {
    const control::WorkerLimits limits = control::limits_of(group.options);
    budget = std::max(budget, std::max(limits.graceful_timeout, limits.eviction_timeout) +
                                  limits.shutdown_timeout + kSupervisorBudget);
  }
  if (era_.pid != 0) leaving_.add(std::exchange(era_.pid, 0), era_.control);
  leaving_.end_all(std::chrono::steady_clock::now() + budget);
}

void Supervision::forget_supervisor() {
  close(era_.control);
  unwatch();
  if (is_alive(era_.pid)) leaving_.add(era_.pid, -1);
  era_.pid = 0;
  told_at_.reset();
}

}  // namespace pyhost::apache

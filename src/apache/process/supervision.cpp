#include "apache/process/supervision.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process/board_size.h"
#include "control/worker_limits.h"

namespace pyhost::apache {

using base::LogLevel;
using base::Message;
using std::chrono::milliseconds;

namespace {

// A supervisor that ends at once is not started again in the same breath.
constexpr std::chrono::seconds kLaunchPause{1};
// Beyond its workers' own budgets.
constexpr milliseconds kSupervisorBudget{2000};

void close_files_of_group(const RetainedGroup& group) noexcept {
  close(group.board);
  close(group.reports);
}

void close_files_of(SupervisorEra& era) {
  if (era.pid != 0) close(era.control);
  std::uint32_t unused = 0;
  RetainedGroups(era.groups, unused).for_each(close_files_of_group);
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
      former_groups_(retained_.era->groups, retained_.next_index),
      leaving_(main_server->process, retained_),
      metrics_(main_server),
      wanted_(main_server, groups_, is_upgrade() ? &former_groups_ : nullptr, metrics_),
      embedded_board_(main_server),
      supervisor_(main_server->process, retained_, era_, leaving_, [this] { note_end(); }) {}

Supervision::~Supervision() {
  const bool ending = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING;
  if (getpid() == parent_ && ending) end_supervisors();
}

void Supervision::close_in_fork() noexcept {
  if (std::exchange(in_fork_, true)) return;
  close_files_of(era_);
  if (is_upgrade()) close_files_of(*retained_.era);
  leaving_.close_channels();
  embedded_board_.close_in_fork();
  metrics_.close_in_fork();
}

base::Result<> Supervision::apply() {
  metrics_.begin();
  metrics_.want("", "", embedded_metrics_shape());
  const auto applied = apply_groups();
  if (applied) {
    metrics_.forget_others();
  } else {
    metrics_.keep_others();
  }
  return applied;
}

base::Result<> Supervision::apply_groups() {
  if (all_process_groups().empty() && !inherited_) return {};
  base::Result<> applied = make_it_so();
  const bool in_part = !applied && is_upgrade() && make_part_of_it_so(applied.error().sentence);
  if (applied || in_part) groups_.accept();
  if (is_upgrade()) {
    if (applied || in_part) {
      take_over_from_former();
    } else if (supervisor_.runs()) {
      // The one of the other build goes on, for its own children.
      forget_supervisor();
    }
  }
  boards_.map(groups_, main_server_);
  if (!applied) {
    supervisor_.tell_refusal(with_places(applied.error().sentence));
    return applied;
  }
  describe_groups();
  wanted_.note_missing_logs();
  return {};
}

base::Result<> Supervision::make_it_so() {
  // From here on there is something that can be told again.
  retelling_.begin(base::Clock::now());
  PH_TRY_VOID(wanted_.prepare());
  PH_TRY_VOID(prepare_supervisor());
  return tell_supervisor();
}

// The children that are about to come know nothing of what ran before an upgrade, so groups that
// can be served are. The others are tried again.
bool Supervision::make_part_of_it_so(const std::string& refusal) {
  if (!supervisor_.runs()) return false;
  wanted_.state().revival = true;
  if (!supervisor_.send(wanted_.state(), wanted_.descriptors())) return false;
  if (!supervisor_.await_answer()) return false;
  complaint_ = refusal;
  retelling_.fail(base::Clock::now());
  return true;
}

base::Result<> Supervision::prepare_supervisor() {
  if (supervisor_.leaves()) forget_supervisor();
  if (!supervisor_.runs()) return supervisor_.launch(wanted_.descriptors().front());
  supervisor_.watch();
  return {};
}

// Waits for the answer. What is refused is not told again: what ran before goes on.
base::Result<> Supervision::tell_supervisor() {
  wanted_.state().revival = false;
  PH_TRY_VOID(supervisor_.send(wanted_.state(), wanted_.descriptors()));
  PH_TRY(answer, supervisor_.await_answer());
  retelling_.succeed();
  return control::outcome_of(answer);
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
    log_server(group->server, LogLevel::info, Message::process_group_described,
               fmt::format("process group '{}': {} workers with {} as uid {}; {}", options.name,
                           worker_count(options), places_text(options), group->worker_uid, where));
  }
}

void Supervision::forget_child(pid_t pid) noexcept {
  boards_.forget_child(pid);
  embedded_board_.forget_child(pid);
  metrics_.forget_child(pid);
}

void Supervision::lose_supervisor(const char* how) {
  log_server(main_server_, LogLevel::error, Message::supervisor_lost,
             fmt::format("pyhost-supervisor (pid {}) {}; its workers finish what they have",
                         supervisor_.pid(), how));
  // It may have answered since we looked.
  if (told_at_) heed_answer();
  const auto now = base::Clock::now();
  const auto age = supervisor_.age();
  const bool begun = !told_at_ && (!age || *age >= kLaunchPause);
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
  if (supervisor_.leaves()) lose_supervisor("leaves");
  if (wanted_.state().groups.empty()) return;
  if (told_at_) heed_answer();
  if (!told_at_ && retelling_.due(base::Clock::now())) tell_again();
}

void Supervision::tell_again() {
  auto told =
      supervisor_.runs() ? base::Result<>() : supervisor_.launch(wanted_.descriptors().front());
  wanted_.state().revival = true;
  if (told) told = supervisor_.send(wanted_.state(), wanted_.descriptors());
  if (!told) return fail_to_tell(told.error().sentence);
  told_at_ = base::Clock::now();
}

void Supervision::heed_answer() {
  const auto now = base::Clock::now();
  const auto answer = supervisor_.take_answer();
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
  const bool complete = wanted_.state().groups.size() == all_process_groups().size();
  if (complete) supervisor_.tell_refusal("");
  // For children that are still to come.
  groups_.accept();
  boards_.map(groups_, main_server_);
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
  for (const auto& group : wanted_.state().groups) {
    const control::WorkerLimits limits = control::limits_of(group.options);
    budget = std::max(budget, std::max(limits.graceful_timeout, limits.eviction_timeout) +
                                  limits.shutdown_timeout + kSupervisorBudget);
  }
  if (era_.pid != 0) leaving_.add(std::exchange(era_.pid, 0), era_.control);
  leaving_.end_all(base::Clock::now() + budget);
}

void Supervision::forget_supervisor() {
  supervisor_.forget();
  told_at_.reset();
}

}  // namespace pyhost::apache

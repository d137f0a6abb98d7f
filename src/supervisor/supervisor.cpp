#include "supervisor/supervisor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>

#include "scoreboard/board_rows.h"
#include "supervisor/descriptor_limit.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;

base::UniqueFd open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return base::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

base::Result<> check_message(const control::WantedState& state,
                             const control::ControlMessage& message) {
  std::set<unsigned> indexes;
  for (const control::WantedGroup& group : state.groups) {
    const std::string& name = group.options.name;
    if (!indexes.insert(group.index).second) {
      return base::fail(fmt::format("WSGIDaemonProcess {}: its number {} is taken by another group",
                                    name, group.index));
    }
    if (std::max({group.log, group.board, group.reports, group.metrics}) >=
        message.descriptors.size()) {
      return base::fail(fmt::format(
          "WSGIDaemonProcess {}: its error log or its scoreboard was not passed on", name));
    }
  }
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Supervisor>> Supervisor::create(SupervisorSpec spec) {
  PH_TRY(loop, os::EventLoop::create());
  base::UniqueFd signals = open_signals();
  if (!signals.valid()) return base::fail(fmt::format("signalfd: {}", std::strerror(errno)));
  std::unique_ptr<Supervisor> supervisor(
      new Supervisor(std::move(spec), std::move(loop), std::move(signals)));
  PH_TRY_VOID(supervisor->watch_all());
  return supervisor;
}

Supervisor::Supervisor(SupervisorSpec spec, os::EventLoop loop, base::UniqueFd signals)
    : spec_(std::move(spec)),
      loop_(std::move(loop)),
      signals_(std::move(signals)),
      receiver_(spec_.control.get(), control::Sender{.pid = spec_.httpd_pid, .uid = getuid()}),
      log_(std::make_shared<QueuedLog>(loop_, std::move(spec_.log),
                                       base::LogRules{.level = LogLevel::notice})),
      operators_(loop_, groups_, *log_),
      stacks_(loop_, groups_, *log_),
      reloads_(loop_, groups_, *log_, spec_.lookout_program) {}

base::Result<> Supervisor::watch_all() {
  PH_TRY_VOID(loop_.watch(spec_.control.get(), [this] { heed_control(); }));
  PH_TRY_VOID(loop_.watch(spec_.httpd.get(), [this] { heed_end_of_httpd(); }));
  PH_TRY_VOID(loop_.watch(signals_.get(), [this] {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof info) == sizeof info) leave("SIGTERM has come");
  }));
  return {};
}

void Supervisor::run() {
  while (true) {
    const base::TimePoint now = base::Clock::now();
    if (change_) change_->advance(now);
    if (change_ && change_->done()) conclude();
    reloads_.advance(now);
    mend_sockets(now);
    look_after_workers(now);
    advance_groups();
    groups_.remove_if([](const WorkerGroup& group) { return group.gone(); });
    if (retired_ && groups_.empty()) return;
    if (give_up_at_ && (groups_.empty() || base::Clock::now() >= *give_up_at_)) return;
    operators_.advance(base::Clock::now());
    stacks_.advance(base::Clock::now());
    loop_.wait(next_deadline());
  }
}

// To start the workers of many groups takes a while, in which httpd may have something to say:
// those that do not get their turn are the first of the next one.
void Supervisor::advance_groups() {
  constexpr base::Milliseconds kTurn{20};
  const base::TimePoint until = base::Clock::now() + kTurn;
  const std::size_t count = groups_.size();
  std::size_t done = 0;
  auto next = std::next(groups_.begin(), count == 0 ? 0 : first_group_ % count);
  for (; done < count && (done == 0 || base::Clock::now() < until); ++done, ++next) {
    if (next == groups_.end()) next = groups_.begin();
    next->advance();
  }
  first_group_ += done;
  groups_wait_ = done < count;
}

void Supervisor::heed_control() {
  while (auto message = receiver_.read()) begin(*std::move(message));
  if (const auto stranger = receiver_.take_stranger()) note_stranger(*stranger);
  if (!receiver_.at_end()) return;
  // Its children have gone before, and nobody waits for an answer.
  for (WorkerGroup& group : groups_) group.remove(Why::httpd_has_ended);
  leave("httpd has closed its channel");
}

// When we leave for another reason, httpd's end comes later.
void Supervisor::heed_end_of_httpd() {
  loop_.forget(spec_.httpd.get());
  if (!give_up_at_) return leave("httpd has ended");
  for (WorkerGroup& group : groups_) group.remove(Why::httpd_has_ended);
}

void Supervisor::note_stranger(const control::Sender& stranger) {
  if (std::exchange(stranger_, stranger.pid) == stranger.pid) return;
  log_->log(LogLevel::crit, Message::control_refused,
            fmt::format("the process {} of user {} has sent a message that only httpd's parent may "
                        "send; it is not heeded",
                        stranger.pid, stranger.uid));
}

// Whatever is under way has been overtaken: nobody waits for its answer any more.
void Supervisor::begin(control::ControlMessage message) {
  change_.reset();
  if (message.text == control::kRetireText) return retire();
  if (auto refusal = control::parse_refusal(message.text)) {
    return operators_.note_refusal(*std::move(refusal));
  }
  const auto considered = consider(message);
  if (!considered) answer(message.number, {considered.error().sentence});
}

base::Result<> Supervisor::consider(control::ControlMessage& message) {
  if (!message.problem.empty()) return base::fail(message.problem);
  PH_TRY(state, control::parse_wanted_state(message.text));
  PH_TRY_VOID(check_message(state, message));
  if (httpd_.value_or(state.httpd) != state.httpd) {
    return base::fail("User or Group of httpd is not what it was; stop httpd and start it again");
  }
  const std::size_t descriptors = message.descriptors.size();
  if (descriptors > 0) next_log_ = std::move(message.descriptors.front());
  check_descriptors(state, descriptors);
  const auto find = [this, prefix = state.socket_prefix](const control::WantedGroup& wanted) {
    return find_group(wanted, prefix);
  };
  change_.emplace(ChangeContext{.loop = loop_,
                                .worker_program = spec_.worker_program,
                                .worker_descriptors = spec_.worker_descriptors,
                                .main_log = log_,
                                .find = find},
                  message.number, std::move(state), std::move(message.descriptors));
  return {};
}

void Supervisor::check_descriptors(const control::WantedState& state, std::size_t passed) {
  std::size_t workers = 0;
  for (const control::WantedGroup& group : state.groups) workers += worker_count(group.options);
  const std::size_t needed = descriptors_needed(passed, workers);
  if (const auto shortage = describe_descriptor_shortage(needed); !shortage.empty()) {
    log_->log(LogLevel::error, Message::descriptors_short, shortage);
  }
}

void Supervisor::conclude() {
  StateChange::Result result = change_->take();
  std::vector<std::string>& errors = result.errors;
  const control::WantedState& state = change_->state();
  std::erase_if(result.setups, [&](GroupSetup& setup) {
    auto sockets = open_sockets(state, setup.wanted);
    const bool opened = sockets.has_value();
    if (opened) {
      setup.sockets = *std::move(sockets);
    } else {
      errors.push_back(sockets.error().sentence);
    }
    return !opened;
  });
  // What is told once more need not be all that the configuration has.
  if (!errors.empty() || !state.revival) {
    operators_.note_refusal(fmt::format("{}", fmt::join(errors, "\n")));
  }
  if (errors.empty() || state.revival) commit(state, std::move(result.setups));
  answer(change_->number(), errors);
  change_.reset();
}

// Whoever takes the answer logs it; who does not asks again.
void Supervisor::answer(std::uint64_t number, const std::vector<std::string>& errors) {
  const std::string text = to_json(control::Answer{.errors = errors});
  if (control::send_message(spec_.control.get(), number, text, {}, base::Milliseconds(0))) return;
  for (const std::string& error : errors) {
    log_->log(LogLevel::error, Message::supervisor_refused, error);
  }
}

base::Result<std::vector<launch::ListeningSocket>> Supervisor::open_sockets(
    const control::WantedState& state, const control::WantedGroup& wanted) {
  const auto refused = [&wanted](const base::Error& error) {
    return base::fail(fmt::format("WSGIDaemonProcess {}: {}", wanted.options.name, error.sentence));
  };
  std::optional<uid_t> owner;
  if (geteuid() == 0) owner = state.httpd.uid;
  if (geteuid() == 0 && !wanted.options.socket_user.empty()) {
    const auto user = launch::resolve_user_id(wanted.options.socket_user);
    if (!user) return refused(user.error());
    owner = *user;
  }
  const WorkerGroup* existing = find_group(wanted, state.socket_prefix);
  std::vector<launch::ListeningSocket> sockets;
  for (unsigned slot = existing != nullptr ? existing->socket_count() : 0;
       slot < worker_count(wanted.options); ++slot) {
    auto socket = launch::ListeningSocket::open(
        launch::socket_path(state.socket_prefix, wanted.index, scoreboard::row_of(slot)),
        wanted.options, owner);
    if (!socket) return refused(socket.error());
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

// Something may clean up where the sockets lie.
void Supervisor::mend_sockets(base::TimePoint now) {
  constexpr base::Milliseconds kPause{3'000};
  if (now < mend_at_ || give_up_at_ || retired_) return;
  mend_at_ = now + kPause;
  for (WorkerGroup& group : groups_) {
    if (group.wanted()) group.mend_sockets();
  }
}

// A worker that has stopped says so to nobody.
void Supervisor::look_after_workers(base::TimePoint now) {
  constexpr base::Milliseconds kWhileNothingHappens{1'000};
  if (now < look_at_ || give_up_at_) return;
  bool anything = false;
  for (WorkerGroup& group : groups_) anything = group.look_after_workers() || anything;
  look_at_ = now + (anything ? Vigil::kBetweenLooks : kWhileNothingHappens);
}

void Supervisor::commit(const control::WantedState& state, std::vector<GroupSetup> setups) {
  httpd_ = state.httpd;
  if (next_log_.valid()) log_->reopen(std::move(next_log_));
  log_->set_rules(state.log);
  std::set<const WorkerGroup*> go_on;
  for (const control::WantedGroup& wanted : state.groups) {
    go_on.insert(find_group(wanted, state.socket_prefix));
  }
  std::set<std::string> stopped;
  for (WorkerGroup& group : groups_) {
    if (group.wanted() && group.stopped()) stopped.insert(group.name());
    if (group.wanted() && !go_on.contains(&group)) group.remove(Why::not_configured);
  }
  for (GroupSetup& setup : setups) {
    WorkerGroup* group = find_group(setup.wanted, state.socket_prefix);
    if (group == nullptr) {
      group = &groups_.emplace_back(loop_, oom_, state.socket_prefix);
    } else {
      group->mend_sockets();
    }
    group->adopt(std::move(setup));
    // It may be another one of that name, with another user.
    if (stopped.contains(group->name()) && !group->stopped()) group->stop();
  }
  std::vector<std::string> pythons;
  for (const auto& plugin : state.plugins) pythons.push_back(plugin.python_version);
  operators_.note_build(state.httpd_version, std::move(pythons));
  operators_.listen(state.operator_socket, {.user = {}, .group = state.monitor_gid});
  if (state.stacks_socket.empty()) {
    stacks_.close();
  } else {
    stacks_.listen(state.stacks_socket, {.user = state.httpd.uid, .group = {}});
  }
  reloads_.follow();
}

WorkerGroup* Supervisor::find_group(const control::WantedGroup& wanted,
                                    const std::string& prefix) noexcept {
  const auto found = std::ranges::find_if(groups_, [&](const WorkerGroup& group) {
    return group.index() == wanted.index && group.name() == wanted.options.name &&
           group.socket_prefix() == prefix;
  });
  return found == groups_.end() ? nullptr : &*found;
}

// Its workers are not renewed, and the operators are the successor's.
void Supervisor::retire() {
  retired_ = true;
  operators_.close();
  stacks_.close();
  reloads_.close();
  for (WorkerGroup& group : groups_) {
    if (group.wanted()) group.remove(Why::not_configured);
  }
  log_->log(LogLevel::info, Message::supervisor_stopping,
            "pyhost-supervisor leaves when its workers have ended: it has a successor");
}

void Supervisor::leave(std::string_view why) {
  if (give_up_at_) return;
  // A worker that the kernel does not let go must not keep us here.
  constexpr base::Milliseconds kReapTime{5'000};
  base::Milliseconds longest{0};
  for (WorkerGroup& group : groups_) {
    longest = std::max(longest, group.drain_max());
    group.remove(Why::supervisor_leaves);
  }
  give_up_at_ = base::Clock::now() + longest + kReapTime;
  change_.reset();
  operators_.close();
  stacks_.close();
  reloads_.close();
  // So that httpd does not wait for an answer, and starts another supervisor at once.
  loop_.forget(spec_.control.get());
  spec_.control.reset();
  log_->log(LogLevel::info, Message::supervisor_stopping,
            fmt::format("pyhost-supervisor ends its workers and leaves: {}", why));
}

std::optional<base::TimePoint> Supervisor::next_deadline() const {
  std::optional<base::TimePoint> next = give_up_at_;
  const auto consider = [&next](std::optional<base::TimePoint> deadline) {
    next = base::earliest(next, deadline);
  };
  for (const WorkerGroup& group : groups_) consider(group.next_deadline());
  if (groups_wait_) return base::TimePoint();
  if (change_) consider(change_->next_deadline());
  if (!groups_.empty() && !give_up_at_ && !retired_) consider(std::min(mend_at_, look_at_));
  consider(operators_.next_deadline());
  consider(stacks_.next_deadline());
  consider(reloads_.next_deadline());
  return next;
}

}  // namespace pyhost::supervisor

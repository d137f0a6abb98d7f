#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "pyhost/gateway/engine.h"

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

base::Result<> check_message(const WantedState& state, const ControlMessage& message) {
  if (state.build != gateway::kBuildId) {
    return base::fail(fmt::format(
        "pyhost-supervisor is of build {}, mod_pyhost of build {}; stop httpd and start it again",
        gateway::kBuildId, state.build));
  }
  std::set<unsigned> indexes;
  for (const WantedGroup& group : state.groups) {
    const std::string& name = group.options.name;
    if (!indexes.insert(group.index).second) {
      return base::fail(fmt::format("WSGIDaemonProcess {}: its number {} is taken by another group",
                                    name, group.index));
    }
    if (std::max({group.log, group.board, group.reports}) >= message.descriptors.size()) {
      return base::fail(fmt::format(
          "WSGIDaemonProcess {}: its error log or its scoreboard was not passed on", name));
    }
    if (!nlohmann::json::parse(group.worker_settings, nullptr, false).is_object()) {
      return base::fail(
          fmt::format("WSGIDaemonProcess {}: its worker settings are no JSON object", name));
    }
  }
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Supervisor>> Supervisor::create(SupervisorSpec spec) {
  PH_TRY(loop, EventLoop::create());
  base::UniqueFd signals = open_signals();
  if (!signals.valid()) return base::fail(fmt::format("signalfd: {}", std::strerror(errno)));
  std::unique_ptr<Supervisor> supervisor(
      new Supervisor(std::move(spec), std::move(loop), std::move(signals)));
  PH_TRY_VOID(supervisor->watch_all());
  return supervisor;
}

Supervisor::Supervisor(SupervisorSpec spec, EventLoop loop, base::UniqueFd signals)
    : spec_(std::move(spec)),
      loop_(std::move(loop)),
      signals_(std::move(signals)),
      log_(std::move(spec_.log), LogLevel::notice),
      operators_(loop_, groups_, log_),
      reloads_(loop_, groups_, log_) {}

base::Result<> Supervisor::watch_all() {
  PH_TRY_VOID(loop_.watch(spec_.control.get(), [this] { heed_control(); }));
  PH_TRY_VOID(loop_.watch(spec_.httpd.get(), [this] { leave("httpd has ended"); }));
  PH_TRY_VOID(loop_.watch(signals_.get(), [this] {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof info) == sizeof info) leave("SIGTERM has come");
  }));
  return {};
}

void Supervisor::run() {
  while (true) {
    reloads_.advance(Clock::now());
    for (WorkerGroup& group : groups_) group.advance();
    groups_.remove_if([](const WorkerGroup& group) { return group.gone(); });
    if (give_up_at_ && (groups_.empty() || Clock::now() >= *give_up_at_)) return;
    operators_.advance(Clock::now());
    loop_.wait(next_deadline());
  }
}

void Supervisor::heed_control() {
  auto message = receive_message(spec_.control.get());
  if (message && !*message) {
    // Its children have gone before, and nobody waits for an answer.
    for (WorkerGroup& group : groups_) group.hurry();
    leave("httpd has closed its channel");
    return;
  }
  Answer answer;
  if (!message) {
    answer.errors.push_back(message.error().sentence);
  } else {
    answer.errors = apply(**std::move(message));
  }
  for (const std::string& error : answer.errors) {
    log_.log(LogLevel::error, Message::supervisor_refused, error);
  }
  if (const auto sent = send_message(spec_.control.get(), to_json(answer), {}); !sent) {
    leave("httpd takes no answer");
  }
}

std::vector<std::string> Supervisor::apply(ControlMessage message) {
  if (give_up_at_) return {"pyhost-supervisor is about to leave"};
  const auto state = parse_wanted_state(message.text);
  if (!state) return {state.error().sentence};
  std::vector<GroupSetup> setups;
  auto errors = prepare(*state, message, setups);
  if (!errors.empty()) return errors;
  if (!message.descriptors.empty()) log_.reopen(std::move(message.descriptors.front()));
  commit(*state, std::move(setups));
  return errors;
}

std::vector<std::string> Supervisor::prepare(const WantedState& state, ControlMessage& message,
                                             std::vector<GroupSetup>& setups) {
  if (const auto checked = check_message(state, message); !checked) {
    return {checked.error().sentence};
  }
  std::vector<std::string> errors;
  for (const WantedGroup& wanted : state.groups) {
    auto setup = prepare_group(state, wanted, message.descriptors);
    if (setup) {
      setups.push_back(*std::move(setup));
    } else {
      errors.push_back(setup.error().sentence);
    }
  }
  return errors;
}

base::Result<GroupSetup> Supervisor::prepare_group(const WantedState& state,
                                                   const WantedGroup& wanted,
                                                   const std::vector<base::UniqueFd>& descriptors) {
  PH_TRY(plan, plan_worker(wanted.options, state.httpd, state.worker_program, environ));
  const auto copy_of = [&descriptors](unsigned position) {
    return base::UniqueFd(fcntl(descriptors[position].get(), F_DUPFD_CLOEXEC, 0));
  };
  base::UniqueFd log = copy_of(wanted.log);  // groups may share it
  if (!log.valid()) return base::fail(fmt::format("fcntl: {}", std::strerror(errno)));
  PH_TRY(scoreboard, ScoreboardRecorder::open(copy_of(wanted.board), copy_of(wanted.reports)));
  PH_TRY_VOID(rehearse_start(plan, {.log = log.get(),
                                    .listen = log.get(),
                                    .settings = log.get(),
                                    .board = scoreboard.board_for_workers(),
                                    .reports = scoreboard.reports()}));
  if (worker_count(wanted.options) > scoreboard.slots()) {
    return base::fail(fmt::format(
        "WSGIDaemonProcess {}: the scoreboard has no room for its workers", wanted.options.name));
  }
  PH_TRY(sockets, open_sockets(state, wanted));
  GroupSetup setup{.wanted = wanted,
                   .plan = std::move(plan),
                   .log = std::make_unique<base::FileLog>(std::move(log), state.log_level),
                   .scoreboard = std::make_unique<ScoreboardRecorder>(std::move(scoreboard)),
                   .sockets = std::move(sockets)};
  return setup;
}

base::Result<std::vector<ListeningSocket>> Supervisor::open_sockets(const WantedState& state,
                                                                    const WantedGroup& wanted) {
  const auto refused = [&wanted](const base::Error& error) {
    return base::fail(fmt::format("WSGIDaemonProcess {}: {}", wanted.options.name, error.sentence));
  };
  std::optional<uid_t> owner;
  if (geteuid() == 0) owner = state.httpd.uid;
  if (geteuid() == 0 && !wanted.options.socket_user.empty()) {
    const auto user = resolve_user_id(wanted.options.socket_user);
    if (!user) return refused(user.error());
    owner = *user;
  }
  const WorkerGroup* existing = find_group(wanted, state.socket_prefix);
  std::vector<ListeningSocket> sockets;
  for (unsigned slot = existing != nullptr ? existing->socket_count() : 0;
       slot < worker_count(wanted.options); ++slot) {
    auto socket = ListeningSocket::open(socket_path(state.socket_prefix, wanted.index, slot),
                                        wanted.options, owner);
    if (!socket) return refused(socket.error());
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

void Supervisor::commit(const WantedState& state, std::vector<GroupSetup> setups) {
  log_.set_threshold(state.log_level);
  const auto is_wanted = [&](const WorkerGroup& group) {
    return std::ranges::any_of(state.groups, [&](const WantedGroup& wanted) {
      return find_group(wanted, state.socket_prefix) == &group;
    });
  };
  std::set<std::string> stopped;
  for (WorkerGroup& group : groups_) {
    if (group.wanted() && group.stopped()) stopped.insert(group.name());
    if (group.wanted() && !is_wanted(group)) group.dismiss();
  }
  for (GroupSetup& setup : setups) {
    WorkerGroup* group = find_group(setup.wanted, state.socket_prefix);
    if (group == nullptr) group = &groups_.emplace_back(loop_, oom_, state.socket_prefix);
    group->adopt(std::move(setup));
    // It may be another one of that name, with another user.
    if (stopped.contains(group->name()) && !group->stopped()) group->stop();
  }
  operators_.listen(state.operator_socket);
  reloads_.follow();
}

WorkerGroup* Supervisor::find_group(const WantedGroup& wanted, const std::string& prefix) noexcept {
  const auto found = std::ranges::find_if(groups_, [&](const WorkerGroup& group) {
    return group.index() == wanted.index && group.name() == wanted.options.name &&
           group.socket_prefix() == prefix;
  });
  return found == groups_.end() ? nullptr : &*found;
}

void Supervisor::leave(std::string_view why) {
  if (give_up_at_) return;
  // A worker that the kernel does not let go must not keep us here.
  constexpr Milliseconds kReapTime{5'000};
  Milliseconds longest{0};
  for (WorkerGroup& group : groups_) {
    longest = std::max(longest, group.drain_max());
    group.retire();
  }
  give_up_at_ = Clock::now() + longest + kReapTime;
  operators_.close();
  reloads_.close();
  loop_.forget(spec_.control.get());
  loop_.forget(spec_.httpd.get());
  log_.log(LogLevel::info, Message::supervisor_stopping, why);
}

std::optional<TimePoint> Supervisor::next_deadline() const {
  std::optional<TimePoint> next = give_up_at_;
  const auto consider = [&next](std::optional<TimePoint> deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  for (const WorkerGroup& group : groups_) consider(group.next_deadline());
  consider(operators_.next_deadline());
  consider(reloads_.next_deadline());
  return next;
}

}  // namespace pyhost::supervisor

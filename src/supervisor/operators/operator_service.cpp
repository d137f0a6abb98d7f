#include "supervisor/operators/operator_service.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "control/status_answer_of.h"
#include "metrics/exposition.h"
#include "metrics/figures_json.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;
using Waiting = control::OperatorRequest::Waiting;

constexpr base::Milliseconds kOpenPause{1'000};

bool may(OperatorSocket::Rights rights, control::OperatorRequest::Command command) noexcept {
  switch (rights) {
    case OperatorSocket::Rights::look_inside:
      return command == control::OperatorRequest::Command::dump;
    case OperatorSocket::Rights::observe:
      return only_looks(command);
    case OperatorSocket::Rights::command:
      break;
  }
  return true;
}

}  // namespace

void OperatorService::listen(const std::string& path, os::SocketGuests guests) {
  if (socket_ && path == path_ && guests == guests_) return;
  close();
  path_ = path;
  guests_ = guests;
  open();
}

void OperatorService::close() noexcept {
  pending_.clear();
  inquiries_.clear();
  socket_.reset();
  open_again_at_.reset();
}

void OperatorService::open() {
  open_again_at_.reset();
  auto opened = OperatorSocket::open(
      loop_, path_, guests_,
      {.on_request = [this](OperatorSocket::PeerId peer, OperatorSocket::Rights rights,
                            const std::string& line) { heed(peer, rights, line); },
       .on_stranger =
           [this](pid_t pid, uid_t uid) {
             log_.log(LogLevel::warn, Message::operator_refused,
                      fmt::format("the process {} of user {} may give no commands", pid, uid));
           }});
  if (opened) {
    socket_ = *std::move(opened);
    failures_ = 0;
    return;
  }
  open_again_at_ = base::Clock::now() + kOpenPause;
  // A supervisor of another build, whose successor this is, is about to let go of it.
  if (++failures_ == 2) {
    log_.log(LogLevel::error, Message::operator_socket_failed, opened.error().sentence);
  }
}

void OperatorService::heed(OperatorSocket::PeerId peer, OperatorSocket::Rights rights,
                           const std::string& line) {
  const auto request = control::parse_operator_request(line);
  if (request && !may(rights, request->command)) {
    return socket_->answer(
        peer, control::error_answer(fmt::format(
                  "{} is for root and the user that started httpd; the group of WSGIMonitorGroup "
                  "may use status and metrics, and httpd's user dump where WSGIStatusStacks is On",
                  control::name_of(request->command))));
  }
  if (!request) return socket_->answer(peer, control::error_answer(request.error().sentence));
  WorkerGroup* group = find(request->group);
  if (group == nullptr && !request->group.empty()) {
    return socket_->answer(peer, control::error_answer(unknown(request->group)));
  }
  if (request->command == Command::status) return show(peer, request->group);
  if (request->command == Command::metrics) {
    const metrics::Figures figures = figures_of(request->group);
    return socket_->answer(
        peer, control::metrics_answer(request->openmetrics ? openmetrics_text(figures)
                                                           : prometheus_text(figures)));
  }
  if (request->command == Command::dump) return inquire(peer, *group);
  if (request->command == Command::reset_metrics) {
    return socket_->answer(peer, reset_metrics(*group));
  }
  const unsigned failed_starts = group->failures().count();
  if (const auto answer = begin(*request, *group)) return socket_->answer(peer, *answer);
  pending_.push_back({.peer = peer,
                      .command = request->command,
                      .group = request->group,
                      .failed_starts = failed_starts});
}

void OperatorService::show(OperatorSocket::PeerId peer, const std::string& name) {
  control::StatusAnswer answer{.supervisor = {.pid = getpid()}, .refused = refusal_};
  for (const WorkerGroup& group : groups_) {
    if (!group.wanted() || (!name.empty() && group.name() != name)) continue;
    metrics::GroupSnapshot snapshot = group.snapshot();
    snapshot.running = group.measured().board.running_requests();
    answer.groups.push_back(control::status_answer_of(snapshot));
  }
  auto json = nlohmann::ordered_json::parse(to_json(answer));
  json["figures"] = metrics::json_of(figures_of(name));
  socket_->answer(peer, json.dump());
}

void OperatorService::inquire(OperatorSocket::PeerId peer, WorkerGroup& group) {
  std::vector<WorkQuestion> questions;
  group.for_each_worker([&questions](const control::WorkerWork& who, int status_socket) {
    questions.push_back(ask_for_work(who, status_socket));
  });
  inquiries_.try_emplace(peer, loop_, std::move(questions), base::Clock::now());
}

// Of one group, or of all when it has no name.
metrics::Figures OperatorService::figures_of(const std::string& name) const {
  metrics::Figures figures;
  metrics::add_build(figures, httpd_version_, pythons_);
  const auto now = base::Clock::now();
  for (const WorkerGroup& group : groups_) {
    if (!group.wanted() || (!name.empty() && group.name() != name)) continue;
    add_group(figures, group.measured(), metrics::WorkerDetail::off, now);
  }
  return figures;
}

void OperatorService::note_build(std::string httpd_version, std::vector<std::string> pythons) {
  httpd_version_ = std::move(httpd_version);
  pythons_ = std::move(pythons);
}

void OperatorService::note_refusal(std::string why) {
  refusal_.reset();
  if (!why.empty()) refusal_ = {.reason = std::move(why), .since_us = base::now_us()};
}

std::string OperatorService::reset_metrics(WorkerGroup& group) const {
  if (!group.reset_metrics()) {
    return control::error_answer(fmt::format(
        "what process group '{}' measures is not kept; see metrics= of its WSGIDaemonProcess",
        group.name()));
  }
  log_.log(LogLevel::notice, Message::operator_command,
           fmt::format("an operator has reset what process group '{}' measures", group.name()));
  return control::done_answer(
      fmt::format("what process group '{}' measures begins anew", group.name()));
}

std::optional<std::string> OperatorService::begin(const control::OperatorRequest& request,
                                                  WorkerGroup& group) {
  if (request.command == Command::reload && group.stopped()) {
    return control::error_answer(
        fmt::format("process group '{0}' is stopped; `pyhost start {0}` starts it", group.name()));
  }
  if (request.command == Command::start && !group.stopped()) {
    return control::done_answer(fmt::format("process group '{}' is not stopped", group.name()));
  }
  log_.log(LogLevel::notice, Message::operator_command,
           fmt::format("an operator wants process group '{}' to {}", group.name(),
                       control::name_of(request.command)));
  if (request.command == Command::reload) group.reload();
  if (request.command == Command::stop) group.stop();
  if (request.command == Command::start) group.start();
  if (request.waiting == Waiting::on) return std::nullopt;
  return control::done_answer(fmt::format("the {} of process group '{}' has begun",
                                          control::name_of(request.command), group.name()));
}

std::optional<std::string> OperatorService::outcome(const Pending& pending) {
  const WorkerGroup* group = find(pending.group);
  if (group == nullptr) {
    return control::error_answer(
        fmt::format("process group '{}' is no longer configured", pending.group));
  }
  if (pending.command == Command::stop) {
    if (!group->stopped()) {
      return control::error_answer(
          fmt::format("process group '{}' was started again", pending.group));
    }
    if (!group->empty()) return std::nullopt;
    return control::done_answer(fmt::format("process group '{}' is stopped", pending.group));
  }
  if (group->stopped()) {
    return control::error_answer(fmt::format("process group '{}' was stopped", pending.group));
  }
  if (group->failures().count() != pending.failed_starts) {
    const char* rest = group->serves() ? "; the workers of before go on serving" : "";
    return control::error_answer(fmt::format("process group '{}' could not {}: {}{}", pending.group,
                                             control::name_of(pending.command),
                                             group->failures().last(), rest));
  }
  if (!group->up_to_date()) return std::nullopt;
  const char* done = pending.command == Command::reload ? "reloaded" : "started";
  return control::done_answer(fmt::format("process group '{}' is {}", pending.group, done));
}

void OperatorService::advance(base::TimePoint now) {
  if (open_again_at_ && now >= *open_again_at_) open();
  if (!socket_) return;
  socket_->advance(now);
  std::erase_if(pending_, [this](const Pending& pending) {
    if (!socket_->has(pending.peer)) return true;
    const auto answer = outcome(pending);
    if (answer) socket_->answer(pending.peer, *answer);
    return answer.has_value();
  });
  for (auto next = inquiries_.begin(); next != inquiries_.end();) {
    const auto inquiry = next++;
    const bool is_awaited = socket_->has(inquiry->first);
    const auto answer = inquiry->second.answer(now);
    if (is_awaited && answer) socket_->answer(inquiry->first, *answer);
    if (!is_awaited || answer) inquiries_.erase(inquiry);
  }
}

std::optional<base::TimePoint> OperatorService::next_deadline() const noexcept {
  auto next = socket_ ? socket_->next_deadline() : open_again_at_;
  for (const auto& [peer, inquiry] : inquiries_) next = base::earliest(next, inquiry.deadline());
  return next;
}

WorkerGroup* OperatorService::find(const std::string& name) noexcept {
  const auto found = std::ranges::find_if(groups_, [&name](const WorkerGroup& group) {
    return group.wanted() && group.name() == name;
  });
  return found == groups_.end() ? nullptr : &*found;
}

std::string OperatorService::unknown(const std::string& name) const {
  std::string list;
  for (const WorkerGroup& group : groups_) {
    if (!group.wanted()) continue;
    list += list.empty() ? "" : ", ";
    list += group.name();
  }
  return fmt::format("there is no process group '{}'; there {}", name,
                     list.empty() ? "is none at all" : "are: " + list);
}

}  // namespace pyhost::supervisor

#include "supervisor/reload/reload_service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/clock.h"

namespace pyhost::supervisor {

using base::LogLevel;
using base::Message;

void ReloadService::follow() {
  std::map<LookoutProcess*, control::WatchList> lists;
  std::map<std::string, Watch> watches;
  for (const WorkerGroup& group : groups_) {
    if (!group.wanted() || group.options().reload_on.empty()) continue;
    control::WatchList& list = lists[&lookout_for(group.credentials())];
    list.since_us = base::now_us();
    list.globs[group.name()] = group.options().reload_on;
    watches[group.name()] = std::move(watches_[group.name()]);
  }
  watches_ = std::move(watches);
  lookouts_.remove_if([&lists](LookoutProcess& each) { return !lists.contains(&each); });
  for (auto& [lookout, list] : lists) lookout->follow(std::move(list));
}

LookoutProcess& ReloadService::lookout_for(const launch::Credentials& credentials) {
  const auto found = std::ranges::find(lookouts_, credentials, &LookoutProcess::credentials);
  if (found != lookouts_.end()) return *found;
  lookouts_.emplace_back(
      loop_, program_, credentials,
      LookoutProcess::Handlers{
          .on_report = [this](control::WatchReport report) { heed(std::move(report)); },
          .on_end =
              [this, credentials](const std::string& problem) {
                for (const WorkerGroup& group : groups_) {
                  if (group.wanted() && group.credentials() == credentials &&
                      watches_.contains(group.name())) {
                    note_problem(group.name(), problem);
                  }
                }
              }});
  return lookouts_.back();
}

void ReloadService::close() noexcept {
  lookouts_.clear();
  watches_.clear();
}

void ReloadService::heed(control::WatchReport report) {
  const auto watch = watches_.find(report.group);
  if (watch == watches_.end()) return;
  if (report.changed.empty()) return note_problem(report.group, report.problem);
  // What is still to come cannot have been noticed.
  report.at = std::min(report.at, base::Clock::now());
  watch->second.change = std::move(report);
}

void ReloadService::advance(base::TimePoint now) {
  for (LookoutProcess& lookout : lookouts_) lookout.advance(now);
  for (auto& [name, watch] : watches_) {
    if (!watch.change || now < watch.rests_until) continue;
    watch.rests_until = now + kBetweenReloads;
    reload(name, *std::exchange(watch.change, std::nullopt));
  }
}

void ReloadService::reload(const std::string& name, const control::WatchReport& change) {
  WorkerGroup* group = find(name);
  // One that is stopped begins with what is there then, and one that has rolled since, because a
  // request met a changed script, has it already.
  if (group == nullptr || group->stopped() || group->renewed_since(change.at)) return;
  if (group->has_rolled_for(change.changed, change.file)) return;
  log_.log(LogLevel::notice, Message::files_changed,
           fmt::format("process group '{}' rolls: {} has changed", name, change.changed));
  group->reload(change.changed);
}

void ReloadService::note_problem(const std::string& name, const std::string& problem) {
  const WorkerGroup* group = find(name);
  Watch& watch = watches_.at(name);
  const base::TimePoint now = base::Clock::now();
  if (group == nullptr || problem == watch.problem) return;
  if (!problem.empty() && now < watch.next_problem_at) return;
  watch.problem = problem;
  if (problem.empty()) return;
  watch.next_problem_at = now + kBetweenProblems;
  log_.log(LogLevel::warn, Message::watch_incomplete,
           fmt::format("WSGIDaemonProcess {}: reload-on={}: {}; changes there go unnoticed", name,
                       fmt::join(group->options().reload_on, " reload-on="), problem));
}

std::optional<base::TimePoint> ReloadService::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  const auto consider = [&next](std::optional<base::TimePoint> moment) {
    next = base::earliest(next, moment);
  };
  for (const LookoutProcess& lookout : lookouts_) consider(lookout.next_deadline());
  for (const auto& [name, watch] : watches_) {
    if (watch.change) consider(watch.rests_until);
  }
  return next;
}

WorkerGroup* ReloadService::find(const std::string& name) noexcept {
  const auto found = std::ranges::find_if(groups_, [&name](const WorkerGroup& group) {
    return group.wanted() && group.name() == name;
  });
  return found == groups_.end() ? nullptr : &*found;
}

}  // namespace pyhost::supervisor

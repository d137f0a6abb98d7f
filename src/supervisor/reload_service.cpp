#include "supervisor/reload_service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pyhost::supervisor {

using base::LogLevel;
using base::Message;

void ReloadService::follow() {
  std::erase_if(watches_, [this](const auto& each) {
    const WorkerGroup* group = find(each.first);
    const bool same = group != nullptr && group->options().reload_on == each.second.globs;
    if (!same) end(each.second);
    return !same;
  });
  for (const WorkerGroup& group : groups_) {
    const bool watches = group.wanted() && !group.options().reload_on.empty();
    if (watches && !watches_.contains(group.name())) begin(group);
  }
}

void ReloadService::begin(const WorkerGroup& group) {
  Watch& watch = watches_[group.name()];
  watch.globs = group.options().reload_on;
  std::vector<base::PathGlob> globs;
  for (const std::string& text : watch.globs) {
    // None was accepted that is none.
    if (auto glob = base::PathGlob::parse(text)) globs.push_back(*std::move(glob));
  }
  auto paths = WatchedPaths::create(std::move(globs));
  if (!paths) return report(group.name(), watch, paths.error().sentence);
  const auto heeded =
      loop_.watch((*paths)->fd(), [&watched = **paths] { watched.heed(Clock::now()); });
  if (!heeded) return report(group.name(), watch, heeded.error().sentence);
  watch.paths = *std::move(paths);
}

void ReloadService::end(const Watch& watch) noexcept {
  if (watch.paths) loop_.forget(watch.paths->fd());
}

void ReloadService::close() noexcept {
  for (const auto& [name, watch] : watches_) end(watch);
  watches_.clear();
}

void ReloadService::advance(TimePoint now) {
  for (auto& [name, watch] : watches_) {
    if (!watch.paths) continue;
    const auto change = watch.paths->advance(now);
    report(name, watch, watch.paths->problem());
    WorkerGroup* group = change ? find(name) : nullptr;
    // One that is stopped begins with what is there then, and one that has rolled since, because a
    // request met a changed script, has it already.
    if (group == nullptr || group->stopped() || group->renewed_since(change->at)) continue;
    log_.log(LogLevel::notice, Message::files_changed,
             fmt::format("process group '{}' rolls: {} has changed", name, change->path));
    group->reload(change->path);
  }
}

void ReloadService::report(const std::string& group, Watch& watch, const std::string& problem) {
  if (problem == watch.problem) return;
  watch.problem = problem;
  if (problem.empty()) return;
  log_.log(LogLevel::warn, Message::watch_incomplete,
           fmt::format("WSGIDaemonProcess {}: reload-on={}: {}; changes there go unnoticed", group,
                       fmt::join(watch.globs, " reload-on="), problem));
}

std::optional<TimePoint> ReloadService::next_deadline() const noexcept {
  std::optional<TimePoint> next;
  for (const auto& [name, watch] : watches_) {
    const auto deadline = watch.paths ? watch.paths->next_deadline() : std::nullopt;
    if (deadline && (!next || *deadline < *next)) next = deadline;
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

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
    return group == nullptr || group->options().reload_on != each.second.globs;
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
  if (const auto opened = open_watches(); !opened) {
    return report(group.name(), watch, opened.error().sentence);
  }
  watch.paths = std::make_unique<WatchedPaths>(*folders_, std::move(globs));
}

base::Result<> ReloadService::open_watches() {
  if (folders_) return {};
  PH_TRY(opened, FolderWatches::open());
  PH_TRY_VOID(loop_.watch(opened->fd(), [this] {
    const TimePoint now = Clock::now();
    folders_->read([this, now](FolderWatches::Owner owner, const FolderWatches::Event& event) {
      for (const auto& [name, watch] : watches_) {
        if (watch.paths.get() == owner) watch.paths->heed(event, now);
      }
    });
  }));
  folders_ = std::move(opened);
  return {};
}

void ReloadService::close() noexcept {
  watches_.clear();
  if (folders_) loop_.forget(folders_->fd());
  folders_.reset();
}

// One group has its turn, behind the one that had the last.
void ReloadService::advance(TimePoint now) {
  if (watches_.empty() || now < rests_until_) return;
  auto next = watches_.upper_bound(last_);
  for (std::size_t i = 0; i < watches_.size(); ++i, ++next) {
    if (next == watches_.end()) next = watches_.begin();
    const auto deadline = deadline_of(next->second);
    if (!deadline || now < *deadline) continue;
    last_ = next->first;
    return look(next->first, next->second, now);
  }
}

void ReloadService::look(const std::string& name, Watch& watch, TimePoint now) {
  const TimePoint begun = Clock::now();
  const auto change = watch.paths->advance(now);
  const auto took = Clock::now() - begun;
  watch.rests_until = begun + took * (1 + kRestOfGroup);
  rests_until_ = begun + took * (1 + kRestOfAll);
  report(name, watch, watch.paths->problem());
  WorkerGroup* group = change ? find(name) : nullptr;
  // One that is stopped begins with what is there then, and one that has rolled since, because a
  // request met a changed script, has it already.
  if (group == nullptr || group->stopped() || group->renewed_since(change->at)) return;
  log_.log(LogLevel::notice, Message::files_changed,
           fmt::format("process group '{}' rolls: {} has changed", name, change->path));
  group->reload(change->path);
}

std::optional<TimePoint> ReloadService::deadline_of(const Watch& watch) const noexcept {
  const auto deadline = watch.paths ? watch.paths->next_deadline() : std::nullopt;
  if (!deadline) return std::nullopt;
  return std::max({*deadline, watch.rests_until, rests_until_});
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
    const auto deadline = deadline_of(watch);
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

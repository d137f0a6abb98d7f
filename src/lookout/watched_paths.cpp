#include "lookout/watched_paths.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace pyhost::lookout {
namespace {

std::string path_of(const WatchedFolder& folder, std::string_view name) {
  return folder.path + "/" + std::string(name);
}

// Whether a file that has appeared is not whole yet: whoever writes it will close it.
bool is_being_written(const std::string& path) noexcept {
  struct stat file {};
  return lstat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 1;
}

using Files = std::map<std::string, base::FileIdentity>;

// The first file that is different.
std::optional<FileChange> difference(const Files& before, const Files& now) {
  const auto [one, other] = std::ranges::mismatch(before, now);
  if (one == before.end() && other == now.end()) return std::nullopt;
  if (one == before.end()) return FileChange{.path = other->first};
  if (other == now.end()) return FileChange{.path = one->first};
  const bool is_the_only_one =
      one->first == other->first &&
      std::equal(std::next(one), before.end(), std::next(other), now.end());
  return FileChange{.path = std::min(one->first, other->first),
                    .file = is_the_only_one ? other->second : base::kNoFile};
}

}  // namespace

WatchedPaths::WatchedPaths(FolderWatches& watches, std::vector<base::PathGlob> globs,
                           std::int64_t since_us, ScanLimits limits)
    : watches_(watches), globs_(std::move(globs)), limits_(limits), since_us_(since_us) {}

void WatchedPaths::heed(const FolderWatches::Event& event, base::TimePoint now) {
  if (!concerns(event)) return;
  settling_.note(now);
  // Perhaps before it was looked at, and after a worker has imported it.
  const WatchedFolder* folder = find(event.folder);
  if (!looked_ && folder != nullptr) changed_meanwhile_ = path_of(*folder, event.name);
}

bool WatchedPaths::concerns(const FolderWatches::Event& event) const {
  if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
  const WatchedFolder* folder = find(event.folder);
  if (folder == nullptr) return false;
  if (event.name.empty()) return (event.mask & (IN_IGNORED | IN_UNMOUNT)) != 0;
  const bool is_folder = (event.mask & IN_ISDIR) != 0;
  if (!folder->concerns(event.name, is_folder)) return false;
  return is_folder || (event.mask & IN_CREATE) == 0 ||
         !is_being_written(path_of(*folder, event.name));
}

const WatchedFolder* WatchedPaths::find(int folder) const noexcept {
  const auto known = last_.folders.find(folder);
  if (known != last_.folders.end()) return &known->second;
  if (!scan_) return nullptr;
  const auto found = scan_->found().folders.find(folder);
  return found == scan_->found().folders.end() ? nullptr : &found->second;
}

std::optional<FileChange> WatchedPaths::advance(base::TimePoint now) {
  if (!scan_ && (!looked_ || settling_.take(now))) {
    scan_.emplace(globs_, watches_, this, limits_);
  }
  if (!scan_ || !scan_->step(kEntriesPerTurn)) return std::nullopt;
  return finish_scan(now);
}

// Others may have had their turn before, and workers import meanwhile.
void WatchedPaths::note_changes_before_first_look(base::TimePoint now) {
  const auto changed = std::ranges::find_if(
      last_.files, [this](const auto& each) { return each.second.changed_us > since_us_; });
  if (changed_meanwhile_ || changed == last_.files.end()) return;
  changed_meanwhile_ = changed->first;
  settling_.note(now);
}

std::optional<FileChange> WatchedPaths::finish_scan(base::TimePoint now) {
  Findings found = scan_->take_found();
  scan_.reset();
  std::optional<FileChange> change;
  if (looked_) {
    change = difference(last_.files, found.files);
    if (change) {
      change->at = settling_.last();
    } else if (changed_meanwhile_) {
      // Nobody knows when, but it was before this look.
      change = FileChange{.path = *std::move(changed_meanwhile_), .at = now};
    }
    changed_meanwhile_.reset();
  }
  const bool is_first_look = !std::exchange(looked_, true);
  for (const auto& [id, folder] : last_.folders) {
    if (!found.folders.contains(id)) watches_.remove(this, id);
  }
  last_ = std::move(found);
  if (is_first_look) note_changes_before_first_look(now);
  return change;
}

std::optional<base::TimePoint> WatchedPaths::next_deadline() const noexcept {
  if (scan_ || !looked_) return base::TimePoint();
  return settling_.over_at();
}

}  // namespace pyhost::lookout

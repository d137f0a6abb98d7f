#include "lookout/folder_watches.h"

#include <fmt/format.h>
#include <sys/inotify.h>

namespace pyhost::lookout {

base::Result<std::unique_ptr<FolderWatches>> FolderWatches::open() {
  auto inotify = os::Inotify::open();
  if (!inotify) {
    return base::fail(
        fmt::format("{} (see sysctl fs.inotify.max_user_instances and the limit of open files)",
                    inotify.error().sentence));
  }
  return std::unique_ptr<FolderWatches>(new FolderWatches(*std::move(inotify)));
}

int FolderWatches::add(Owner owner, const std::string& path) {
  const int folder = inotify_.add_folder(path);
  if (folder >= 0) owners_[folder].insert(owner);
  return folder;
}

void FolderWatches::remove(Owner owner, int folder) noexcept {
  const auto found = owners_.find(folder);
  if (found == owners_.end() || found->second.erase(owner) == 0) return;
  if (!found->second.empty()) return;
  owners_.erase(found);
  inotify_.remove_folder(folder);
}

void FolderWatches::remove_all(Owner owner) noexcept {
  for (auto each = owners_.begin(); each != owners_.end();) {
    each->second.erase(owner);
    if (each->second.empty()) {
      inotify_.remove_folder(each->first);
      each = owners_.erase(each);
    } else {
      ++each;
    }
  }
}

void FolderWatches::read(const std::function<void(Owner, const Event&)>& take) {
  inotify_.read([&](const Event& event) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      std::set<Owner> all;
      for (const auto& [folder, owners] : owners_) all.insert(owners.begin(), owners.end());
      for (const Owner owner : all) take(owner, event);
      return;
    }
    const auto found = owners_.find(event.folder);
    if (found == owners_.end()) return;
    for (const Owner owner : found->second) take(owner, event);
    if ((event.mask & IN_IGNORED) != 0) owners_.erase(found);
  });
}

}  // namespace pyhost::lookout

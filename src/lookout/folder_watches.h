// One inotify instance for everybody who watches folders: the system has few of them.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "os/inotify.h"

namespace pyhost::lookout {

// A folder is watched as long as anybody wants it. Not synchronised.
class FolderWatches {
 public:
  // Any address that is the owner's own.
  using Owner = const void*;
  using Event = os::Inotify::Event;

  // Fails with the system's reason, and which limit of it may be reached.
  static base::Result<std::unique_ptr<FolderWatches>> open();
  FolderWatches(const FolderWatches&) = delete;
  FolderWatches& operator=(const FolderWatches&) = delete;

  // The number of the folder, which is the same for every path that leads to it and for every
  // owner; -1 and errno when the system refuses.
  int add(Owner owner, const std::string& path);
  void remove(Owner owner, int folder) noexcept;
  void remove_all(Owner owner) noexcept;

  // Readable when something happened.
  int fd() const noexcept { return inotify_.fd(); }
  // Hands a share of what has happened to everybody whom it concerns; lost events concern all.
  void read(const std::function<void(Owner, const Event&)>& take);

 private:
  explicit FolderWatches(os::Inotify inotify) noexcept : inotify_(std::move(inotify)) {}

  const os::Inotify inotify_;
  std::unordered_map<int, std::set<Owner>> owners_;  // by folder
};

}  // namespace pyhost::lookout

// What the kernel tells of changes in folders.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// Watches folders, never files: a file that is replaced is another one, its folder stays. Not
// synchronised.
class Inotify {
 public:
  struct Event {
    int folder;             // what add_folder() has returned; -1 when events were lost
    std::uint32_t mask;     // IN_* of inotify(7)
    std::string_view name;  // in that folder; "" when it is about the folder itself
  };

  // Fails with the system's reason.
  static base::Result<Inotify> open();

  // The number of the folder, which is the same for every path that leads to it; -1 and errno when
  // the system refuses.
  int add_folder(const std::string& path) const noexcept;
  void remove_folder(int folder) const noexcept;

  // Readable when something happened.
  int fd() const noexcept { return fd_.get(); }

  // Hands over what has happened since the last time, or a large share of it. A file that is still
  // being written is told of when it is closed. What happened before a system call returned is
  // there after it.
  void read(const std::function<void(const Event&)>& take) const;

 private:
  explicit Inotify(base::UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  base::UniqueFd fd_;
};

}  // namespace pyhost::os

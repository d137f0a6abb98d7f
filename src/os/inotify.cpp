#include "os/inotify.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pyhost::os {

base::Result<Inotify> Inotify::open() {
  base::UniqueFd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd.valid()) return base::fail(fmt::format("inotify_init: {}", std::strerror(errno)));
  return Inotify(std::move(fd));
}

int Inotify::add_folder(const std::string& path) const noexcept {
  return inotify_add_watch(fd(), path.c_str(),
                           IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                               IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK);
}

void Inotify::remove_folder(int folder) const noexcept {
  inotify_rm_watch(fd(), folder);
}

void Inotify::read(const std::function<void(const Event&)>& take) const {
  constexpr std::size_t kBufferBytes = 16'384;
  alignas(inotify_event) std::array<char, kBufferBytes> buffer;
  // Somebody who makes them without end must not keep the reader from all else.
  constexpr int kReadsMax = 64;
  for (int i = 0; i < kReadsMax; ++i) {
    const ssize_t bytes = ::read(fd(), buffer.data(), buffer.size());
    if (bytes <= 0) return;
    for (ssize_t at = 0; at < bytes;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof event + event.len);
      const std::string_view name = event.len == 0 ? std::string_view() : event.name;
      take({.folder = event.wd, .mask = event.mask, .name = name});
    }
  }
}

}  // namespace pyhost::os

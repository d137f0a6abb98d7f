#include "pyhost/gateway/sendable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace pyhost::gateway {
namespace {

std::string_view kind_of(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a pipe";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "what is no file";
  }
}

// Whether somebody makes the bytes of a file when they are read.
bool makes_bytes(int fd) noexcept {
  constexpr long kFuseMagic = 0x65735546;  // has no name before Linux 6.8
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return true;
  return system.f_type == kFuseMagic || system.f_type == PROC_SUPER_MAGIC ||
         system.f_type == SYSFS_MAGIC;
}

}  // namespace

base::Result<> check_sendable(const FileRange& range) {
  const int flags = ::fcntl(range.fd, F_GETFL);
  struct stat file {};
  if (flags < 0 || ::fstat(range.fd, &file) != 0) {
    return base::fail(
        fmt::format("a descriptor that cannot be looked at: {}", std::strerror(errno)));
  }
  if (!S_ISREG(file.st_mode)) return base::fail(std::string(kind_of(file.st_mode)));
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) {
    return base::fail("a file that was not opened for reading");
  }
  if (makes_bytes(range.fd)) return base::fail("a file whose bytes are made when it is read");
  const auto size = static_cast<std::uint64_t>(file.st_size);
  if (range.offset > size || range.length > size - range.offset) {
    return base::fail(fmt::format("a file of {} bytes, for {} bytes from {} on", size, range.length,
                                  range.offset));
  }
  return {};
}

}  // namespace pyhost::gateway

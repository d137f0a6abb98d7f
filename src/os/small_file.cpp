#include "os/small_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "pyhost/base/unique_fd.h"

namespace pyhost::os {
namespace {

constexpr int kReadOnly = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

tl::unexpected<base::Error> failed() {
  return base::fail(std::strerror(errno));
}

bool is_of_root_alone(int fd) noexcept {
  struct stat info {};
  return fstat(fd, &info) == 0 && info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

base::Result<std::string> read_whole(int fd, std::size_t bytes_max) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return failed();
  if (!S_ISREG(info.st_mode)) return base::fail("it is no regular file");
  std::string text;
  std::array<char, 16'384> buffer;
  while (true) {
    const ssize_t got = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return base::fail(fmt::format("it is larger than {} bytes", bytes_max));
    }
  }
}

base::Result<std::string> read_small_file(const std::string& path) {
  const base::UniqueFd file(open(path.c_str(), kReadOnly));
  if (!file.valid()) return failed();
  return read_whole(file.get(), kSmallFileBytes);
}

base::Result<std::string> read_small_file_of_root(const std::string& path) {
  const std::filesystem::path whole(path);
  base::UniqueFd at(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const auto& component : whole.parent_path().relative_path()) {
    if (!at.valid()) return failed();
    if (!is_of_root_alone(at.get())) return base::fail(std::strerror(EACCES));
    at.reset(openat(at.get(), component.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!at.valid()) return failed();
  const base::UniqueFd file(openat(at.get(), whole.filename().c_str(), kReadOnly | O_NOFOLLOW));
  if (!file.valid()) return failed();
  if (!is_of_root_alone(at.get()) || !is_of_root_alone(file.get())) {
    return base::fail(std::strerror(EACCES));
  }
  return read_whole(file.get(), kSmallFileBytes);
}

}  // namespace pyhost::os

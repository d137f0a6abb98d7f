#include "pyhost/base/file_times.h"

#include <sys/stat.h>

namespace pyhost::base {
namespace {

std::int64_t in_microseconds(const timespec& time) noexcept {
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace

FileTimes times_of(const std::string& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {in_microseconds(status.st_mtim), in_microseconds(status.st_ctim)};
}

}  // namespace pyhost::base

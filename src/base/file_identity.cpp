#include "pyhost/base/file_identity.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <vector>

namespace pyhost::base {
namespace {

namespace fs = std::filesystem;

std::int64_t in_microseconds(const timespec& time) noexcept {
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace

FileIdentity identity_of(const struct stat& file) noexcept {
  return {.device = file.st_dev,
          .inode = file.st_ino,
          .bytes = file.st_size,
          .modified_us = in_microseconds(file.st_mtim),
          .changed_us = in_microseconds(file.st_ctim)};
}

FileIdentity identity_of(const std::string& path) noexcept {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? identity_of(file) : kNoFile;
}

std::int64_t last_change_us(const std::string& path) {
  constexpr int kLinksMax = 40;  // the kernel's limit
  std::int64_t latest = identity_of(path).changed_us;
  if (latest == 0) return 0;
  std::vector<fs::path> names;  // of what is left of the way, the next one last
  const auto lead_on = [&names](const fs::path& way) {
    names.insert(names.end(), std::make_reverse_iterator(way.end()),
                 std::make_reverse_iterator(way.begin()));
  };
  fs::path folder;
  lead_on(path);
  for (int links = 0; !names.empty() && links <= kLinksMax;) {
    const fs::path here = folder / names.back();
    names.pop_back();
    struct stat entry {};
    if (::lstat(here.c_str(), &entry) != 0) return 0;
    if (!S_ISLNK(entry.st_mode)) {
      folder = here;
      continue;
    }
    ++links;
    latest = std::max(latest, in_microseconds(entry.st_ctim));
    std::error_code failed;
    const fs::path target = fs::read_symlink(here, failed);
    if (target.is_absolute()) folder.clear();
    lead_on(target);
  }
  return latest;
}

}  // namespace pyhost::base

// Which file a path leads to, and in which state.
#pragma once

#include <cstdint>
#include <string>

struct stat;

namespace pyhost::base {

// What tells a file from any other, and from itself before a change. A release that is put in the
// place of another often has the same modification time: cp -a, rsync and archives keep it.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t modified_us = 0;  // since the epoch
  std::int64_t changed_us = 0;   // the same, of the inode: unlike the other, nobody can set it back

  bool operator==(const FileIdentity&) const = default;
};

// Not that of any file; also of one that is not there, or that cannot be looked at.
inline constexpr FileIdentity kNoFile{};

FileIdentity identity_of(const struct stat& file) noexcept;
// Follows symbolic links.
FileIdentity identity_of(const std::string& path) noexcept;

// When the path came to lead to what it leads to now, microseconds since the epoch, as far as
// nobody can set it back: the latest time at which the file's inode, or that of a symbolic link on
// the way, was changed. 0 when there is no file.
std::int64_t last_change_us(const std::string& path);

}  // namespace pyhost::base

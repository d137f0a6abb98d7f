// Reads files of which nobody knows who has put them where they are.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::os {

// The whole text of a regular file behind a descriptor, from its start wherever that stands. Fails
// with the reason alone, also when there is more than `bytes_max`.
base::Result<std::string> read_whole(int fd, std::size_t bytes_max);

inline constexpr std::size_t kSmallFileBytes = 1u << 20;

// The whole text of a regular file of at most kSmallFileBytes. Does not wait for the other end of a
// FIFO, and reads nothing endless; a dead filesystem holds it up all the same. Fails with the
// reason alone, "Permission denied".
base::Result<std::string> read_small_file(const std::string& path);

// The same for a file that only root can have put there: it and every folder on its way belong to
// root, nobody else may write to them, and none is a symbolic link. PRECONDITION: an absolute path.
base::Result<std::string> read_small_file_of_root(const std::string& path);

}  // namespace pyhost::os

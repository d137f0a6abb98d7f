// A filesystem that never answers, as one whose server has gone.
#pragma once

#include <string>

#include "harness/temp_dir.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

// Whoever looks at anything in it waits, until it goes at the end of its scope. Needs root and
// FUSE: where mounted() is false there is only an empty folder.
class DeadDisk {
 public:
  DeadDisk();
  DeadDisk(const DeadDisk&) = delete;
  DeadDisk& operator=(const DeadDisk&) = delete;
  ~DeadDisk();

  bool mounted() const noexcept { return mounted_; }
  const std::string& path() const noexcept { return path_; }

 private:
  const TempDir folder_;
  const std::string path_;
  base::UniqueFd server_;  // which nobody reads
  bool mounted_ = false;
};

}  // namespace pyhost::test

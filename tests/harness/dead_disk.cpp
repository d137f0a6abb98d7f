#include "harness/dead_disk.h"

#include <fcntl.h>
#include <sys/mount.h>

namespace pyhost::test {

DeadDisk::DeadDisk()
    : path_(folder_.make_writable("dead")), server_(open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
  const std::string options =
      "fd=" + std::to_string(server_.get()) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  mounted_ = server_.valid() && mount("dead", path_.c_str(), "fuse", 0, options.c_str()) == 0;
}

DeadDisk::~DeadDisk() {
  // Whoever waits is told that the server has gone.
  server_.reset();
  if (mounted_) umount2(path_.c_str(), MNT_DETACH);
}

}  // namespace pyhost::test

#include "apache/process/kept_descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>

namespace pyhost::apache {

int keep_out_of_the_way(base::UniqueFd fd) noexcept {
  rlimit before{};
  if (::getrlimit(RLIMIT_NOFILE, &before) != 0) return fd.release();
  const rlimit raised{.rlim_cur = before.rlim_max, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &raised);
  const int kept = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, static_cast<int>(before.rlim_cur));
  ::setrlimit(RLIMIT_NOFILE, &before);
  return kept >= 0 ? kept : fd.release();
}

}  // namespace pyhost::apache

#include "supervisor/descriptor_limit.h"

#include <fmt/format.h>

namespace pyhost::supervisor {

ResourceLimit raise_descriptor_limit() noexcept {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const ResourceLimit before{
      .resource = RLIMIT_NOFILE, .soft = limit.rlim_cur, .hard = limit.rlim_max};
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

std::size_t descriptors_needed(std::size_t groups, std::size_t workers, std::size_t logs) noexcept {
  // Standard ones, the loop's, operators, and what is being started.
  constexpr std::size_t kOwn = 96;
  // A memory file of each of two states; a log as it came and as it is written to.
  constexpr std::size_t kPerGroup = 2;
  constexpr std::size_t kPerLog = 4;
  // A socket; the process and its status, of the worker and of its successor.
  constexpr std::size_t kPerWorker = 5;
  return kOwn + kPerGroup * groups + kPerLog * logs + kPerWorker * workers;
}

std::string describe_descriptor_shortage(std::size_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || needed <= limit.rlim_cur) return "";
  return fmt::format(
      "pyhost-supervisor needs up to {} descriptors for these process groups, and the hard limit "
      "of open files (ulimit -Hn, LimitNOFILE=) that httpd is started with is {}",
      needed, limit.rlim_cur);
}

}  // namespace pyhost::supervisor

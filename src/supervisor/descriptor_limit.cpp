#include "supervisor/descriptor_limit.h"

#include <fmt/format.h>

namespace pyhost::supervisor {

launch::ResourceLimit raise_descriptor_limit() noexcept {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const launch::ResourceLimit before{
      .resource = RLIMIT_NOFILE, .soft = limit.rlim_cur, .hard = limit.rlim_max};
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

std::size_t descriptors_needed(std::size_t passed, std::size_t workers) noexcept {
  // Standard ones, the loop's, operators, and what is being started.
  constexpr std::size_t kOwn = 96;
  // Of the state of before, too, while the next one is under way; logs are opened twice.
  constexpr std::size_t kPerPassed = 2;
  // A socket; the process and its status, of the worker and of its successor.
  constexpr std::size_t kPerWorker = 5;
  return kOwn + kPerPassed * passed + kPerWorker * workers;
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

#include "worker/resident_memory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/parse.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::worker {

std::uint64_t resident_bytes() noexcept {
  // "size resident ...", in pages.
  const base::UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  std::array<char, 128> buffer;
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  text.remove_prefix(std::min(text.find(' ') + 1, text.size()));
  if (const auto pages = base::parse_unsigned(text.substr(0, text.find(' ')))) {
    return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  constexpr std::uint64_t kKibibyte = 1024;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kKibibyte;
}

}  // namespace pyhost::worker

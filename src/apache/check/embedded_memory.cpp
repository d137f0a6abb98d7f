#include "apache/check/embedded_memory.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "apache/httpd_api.h"

namespace pyhost::apache {
namespace {

std::optional<pid_t> running_httpd() {
  pid_t pid = 0;
  const char* path = ap_runtime_dir_relative(ap_server_conf->process->pconf, ap_pid_fname);
  std::ifstream(path == nullptr ? "" : path) >> pid;
  return pid > 1 ? std::optional(pid) : std::nullopt;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::ifstream list(fmt::format("/proc/{}/task/{}/children", parent, parent));
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

bool has_python(pid_t pid) {
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/pyhost-cpython-") != line.npos) return true;
  }
  return false;
}

// What no other process has a part in, in kB.
std::uint64_t own_memory_of(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  std::uint64_t sum = 0;
  for (std::string line; std::getline(rollup, line);) {
    if (!line.starts_with("Private_")) continue;
    std::istringstream words(line);
    std::string name;
    std::uint64_t kilobytes = 0;
    if (words >> name >> kilobytes && !name.ends_with("Hugetlb:")) sum += kilobytes;
  }
  return sum;
}

}  // namespace

std::string describe_embedded_memory() {
  const auto httpd = running_httpd();
  if (!httpd) return "";
  std::uint64_t sum = 0, count = 0;
  for (const pid_t child : children_of(*httpd)) {
    if (!has_python(child)) continue;
    sum += own_memory_of(child);
    ++count;
  }
  if (count == 0) return "";
  constexpr std::uint64_t kKilobytes = 1024;
  return fmt::format("of about {} MiB each, as the running httpd has them",
                     sum / count / kKilobytes);
}

}  // namespace pyhost::apache

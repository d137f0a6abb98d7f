#include "launch/worker_needs.h"

#include <fmt/format.h>

#include <fstream>

#include "control/worker_limits.h"

namespace pyhost::launch {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;
// Of Python's own data, and of the programs and libraries in the address space: less than any
// version takes.
constexpr std::uint64_t kDataOfPython = 4 * kMiB;
constexpr std::uint64_t kCodeOfPython = 20 * kMiB;
// What a small application takes beside that.
constexpr std::uint64_t kDataOfApplication = 64 * kMiB;

// The main interpreter has a thread of its own.
std::uint64_t stacks_of(const settings::ProcessGroup& group) {
  return (group.threads + std::uint64_t{1}) * control::stack_bytes_of(group);
}

base::Result<> check_memory(const settings::ProcessGroup& group, std::string_view option,
                            std::uint64_t limit, std::uint64_t needed) {
  if (limit == 0 || limit >= needed) return {};
  return base::fail(fmt::format(
      "WSGIDaemonProcess {}: {}= is too little for the stacks of {} threads ({} MiB each) and for "
      "Python: give {}M or more, or fewer threads=",
      group.name, option, group.threads, control::stack_bytes_of(group) / kMiB,
      (needed + kDataOfApplication) / kMiB));
}

// A file with one number; "max" and what is not there are no limit.
void consider(const std::string& path, std::uint64_t share, std::string_view name,
              ThreadRoom& room) {
  std::uint64_t number = 0;
  std::ifstream file(path);
  if (!(file >> number) || number / share >= room.threads) return;
  room = {.threads = number / share, .limit = std::string(name)};
}

// Every control group above has a say.
void consider_group(const std::string& root, std::string path, ThreadRoom& room) {
  while (path.size() > 1) {
    consider(root + path + "/pids.max", 1, "pids.max of the control group", room);
    path.resize(path.rfind('/'));
  }
}

void consider_control_groups(ThreadRoom& room) {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto path = line.find('/');
    if (path == line.npos) continue;
    if (line.starts_with("0::")) consider_group("/sys/fs/cgroup", line.substr(path), room);
    if (line.find(":pids:") != line.npos) {
      consider_group("/sys/fs/cgroup/pids", line.substr(path), room);
    }
  }
}

}  // namespace

ThreadRoom thread_room() {
  ThreadRoom room;
  consider("/proc/sys/kernel/threads-max", 1, "kernel.threads-max", room);
  consider("/proc/sys/kernel/pid_max", 1, "kernel.pid_max", room);
  consider_control_groups(room);
  return room;
}

base::Result<> check_needs(const settings::ProcessGroup& group, const ThreadRoom& room) {
  const std::uint64_t stacks = stacks_of(group);
  PH_TRY_VOID(
      check_memory(group, "memory-limit", group.memory_limit_bytes, stacks + kDataOfPython));
  PH_TRY_VOID(check_memory(group, "virtual-memory-limit", group.virtual_memory_limit_bytes,
                           stacks + kDataOfPython + kCodeOfPython));
  const std::uint64_t threads = std::uint64_t{worker_count(group)} * group.threads;
  if (threads <= room.threads) return {};
  return base::fail(fmt::format(
      "WSGIDaemonProcess {}: processes= and threads= make {} threads, and the system has room for "
      "{} ({}): give fewer, or raise that",
      group.name, threads, room.threads, room.limit));
}

}  // namespace pyhost::launch

#include "os/own_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/parse.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

using Text = std::array<char, 1024>;

// Its beginning; empty when it cannot be read.
std::string_view read(const char* path, Text& buffer) noexcept {
  const base::UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

// Of a line with blanks between them, from 0.
std::optional<std::uint64_t> field_of(std::string_view line, int number) noexcept {
  for (; number > 0; --number) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return base::parse_unsigned(line.substr(0, line.find(' ')));
}

rusage usage_of_process() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

std::int64_t microseconds_of(const timeval& time) noexcept {
  return time.tv_sec * kMicroseconds + time.tv_usec;
}

std::int64_t since_boot_us() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * kMicroseconds + now.tv_nsec / 1000;
}

}  // namespace

std::uint64_t resident_bytes() noexcept {
  constexpr int kResident = 1;  // "size resident ...", in pages
  Text text;
  const auto pages = field_of(read("/proc/self/statm", text), kResident);
  if (!pages) return resident_bytes_max();
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t resident_bytes_max() noexcept {
  constexpr std::uint64_t kKibibyte = 1024;
  return static_cast<std::uint64_t>(usage_of_process().ru_maxrss) * kKibibyte;
}

ProcessorUse processor_use() noexcept {
  const rusage usage = usage_of_process();
  return {microseconds_of(usage.ru_utime), microseconds_of(usage.ru_stime)};
}

std::int64_t start_of_process_us() noexcept {
  constexpr int kStart = 19;  // proc(5): the 22nd field of all, from the first behind the name
  Text text;
  std::string_view line = read("/proc/self/stat", text);
  line.remove_prefix(std::min(line.rfind(')') + 2, line.size()));
  const auto ticks = field_of(line, kStart);
  if (!ticks) return base::now_us();
  const auto start_us = static_cast<std::int64_t>(*ticks) * kMicroseconds / ::sysconf(_SC_CLK_TCK);
  return base::now_us() - (since_boot_us() - start_us);
}

}  // namespace pyhost::os

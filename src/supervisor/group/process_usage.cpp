#include "supervisor/group/process_usage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/parse.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {
namespace {

constexpr std::uint64_t kMicroseconds = 1'000'000;

// The kernel makes these files as they are read, so one read has all of what is short.
std::string read_process_file(pid_t pid, const char* name) {
  const base::UniqueFd file(
      ::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

// The word number `n`, from 0, of those that blanks divide; empty where there are fewer.
std::string_view word_of(std::string_view text, unsigned n) noexcept {
  for (; n > 0; --n) {
    const auto blank = text.find(' ');
    if (blank == text.npos) return {};
    text.remove_prefix(blank + 1);
  }
  return text.substr(0, text.find_first_of(" \n"));
}

std::uint64_t in_us(const timeval& time) noexcept {
  return static_cast<std::uint64_t>(time.tv_sec) * kMicroseconds +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

std::optional<ProcessorTime> processor_time_of(pid_t pid) {
  const std::string stat = read_process_file(pid, "stat");
  // The name before may have blanks and brackets in it.
  const auto name_end = stat.rfind(") ");
  if (name_end == stat.npos) return std::nullopt;
  const std::string_view rest = std::string_view(stat).substr(name_end + 2);
  constexpr unsigned kUserTime = 11, kSystemTime = 12;  // 14 and 15 in proc(5)
  const auto user = base::parse_unsigned(word_of(rest, kUserTime));
  const auto system = base::parse_unsigned(word_of(rest, kSystemTime));
  if (!user || !system) return std::nullopt;
  const auto ticks = static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L));
  return ProcessorTime{*user * kMicroseconds / ticks, *system * kMicroseconds / ticks};
}

ProcessorTime processor_time_of(const rusage& usage) noexcept {
  return {in_us(usage.ru_utime), in_us(usage.ru_stime)};
}

std::optional<std::uint64_t> resident_bytes_of(pid_t pid) {
  const auto pages = base::parse_unsigned(word_of(read_process_file(pid, "statm"), 1));
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> proportional_bytes_of(pid_t pid) {
  constexpr std::string_view kKey = "\nPss:";
  constexpr std::uint64_t kKibibyte = 1024;
  const std::string rollup = read_process_file(pid, "smaps_rollup");
  const auto found = rollup.find(kKey);
  if (found == rollup.npos) return std::nullopt;
  std::string_view rest = std::string_view(rollup).substr(found + kKey.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto kibibytes = base::parse_unsigned(word_of(rest, 0));
  return kibibytes ? std::optional(*kibibytes * kKibibyte) : std::nullopt;
}

}  // namespace pyhost::supervisor

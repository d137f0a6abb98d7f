// How a worker ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pyhost::scoreboard {

// With this code a worker ends that has found its own descriptors closed or replaced.
inline constexpr int kWorkerExitBroken = 86;

enum class DeathCause : std::uint8_t {
  none,             // it has not ended
  exited,           // detail: the exit code
  signalled,        // detail: the signal
  out_of_memory,    // killed by the kernel
  startup_timeout,  // killed by the supervisor; detail: the limit in ms
  drain_timeout,    // the same
  // It has ended by itself, or was killed at it, because of a limit of its own:
  request_timeout,
  deadlock_timeout,
  import_timeout,  // startup-timeout, in its first request
  silence,         // the supervisor has replaced it because it did not serve any more
};

// The end of a worker. The supervisor finds the cause and records it; others read it.
struct Death {
  DeathCause cause = DeathCause::none;
  std::int64_t detail = 0;
  std::uint32_t generation = 0;
  pid_t pid = 0;
  std::int64_t time_us = 0;  // since the epoch

  bool operator==(const Death&) const = default;
};

// "signalled"; "orderly" for none, which stands for ends that are in order where they are counted.
std::string_view name_of(DeathCause cause) noexcept;
// Whether the worker has ended as one that is told to: by itself, with the exit code 0.
bool is_orderly(const Death& death) noexcept;
// Whether the cause is a limit that the worker itself has kept, or its silence.
bool is_limit(DeathCause cause) noexcept;

// "exited with code 3", "was killed by signal 11 (SIGSEGV)".
std::string describe(const Death& death);

// What of a death has to be read in one piece: the generation, the cause and the detail.
std::uint64_t pack(const Death& death) noexcept;
// The same death again, without its pid and its time. A detail that is larger than the largest that
// fits, over four hours for a limit, has become that. Whatever the word is, the cause is one that
// there is.
Death unpack_death(std::uint64_t packed) noexcept;

}  // namespace pyhost::scoreboard

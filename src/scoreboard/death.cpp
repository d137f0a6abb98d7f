#include "scoreboard/death.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/signals.h"

namespace pyhost::scoreboard {
namespace {

// The layout of a packed death, from its lowest bit.
constexpr int kDetailBits = 24;
constexpr int kCauseBits = 8;
constexpr std::uint64_t kDetailMax = (std::uint64_t{1} << kDetailBits) - 1;
constexpr std::uint64_t kCauseMax = (std::uint64_t{1} << kCauseBits) - 1;

}  // namespace

std::string_view name_of(DeathCause cause) noexcept {
  switch (cause) {
    case DeathCause::none:
      break;
    case DeathCause::exited:
      return "exited";
    case DeathCause::signalled:
      return "signalled";
    case DeathCause::out_of_memory:
      return "out_of_memory";
    case DeathCause::startup_timeout:
      return "startup_timeout";
    case DeathCause::drain_timeout:
      return "drain_timeout";
    case DeathCause::request_timeout:
      return "request_timeout";
    case DeathCause::deadlock_timeout:
      return "deadlock_timeout";
    case DeathCause::import_timeout:
      return "import_timeout";
    case DeathCause::silence:
      return "silence";
  }
  return "orderly";
}

bool is_orderly(const Death& death) noexcept {
  return death.cause == DeathCause::exited && death.detail == 0;
}

bool is_limit(DeathCause cause) noexcept {
  return cause == DeathCause::request_timeout || cause == DeathCause::deadlock_timeout ||
         cause == DeathCause::import_timeout || cause == DeathCause::silence;
}

std::string describe(const Death& death) {
  switch (death.cause) {
    case DeathCause::none:
      return "has not ended";
    case DeathCause::exited:
      if (death.detail == kWorkerExitBroken) {
        return "ended because the application had closed its descriptors";
      }
      return fmt::format("exited with code {}", death.detail);
    case DeathCause::signalled:
      return "was killed by " + base::describe_signal(static_cast<int>(death.detail));
    case DeathCause::out_of_memory:
      return "was killed by the kernel because memory ran out";
    case DeathCause::startup_timeout:
      return fmt::format("was killed because it was not ready within {} ms", death.detail);
    case DeathCause::request_timeout:
      return "has ended because a request ran longer than request-timeout";
    case DeathCause::deadlock_timeout:
      return "has ended because the lock of an interpreter could not be had within "
             "deadlock-timeout";
    case DeathCause::import_timeout:
      return "has ended because it had imported no script within startup-timeout";
    case DeathCause::silence:
      return "has ended because it did not serve any more";
    case DeathCause::drain_timeout:
      break;
  }
  return fmt::format("was killed because it had not ended within {} ms", death.detail);
}

std::uint64_t pack(const Death& death) noexcept {
  const auto detail = static_cast<std::uint64_t>(std::max<std::int64_t>(death.detail, 0));
  return std::uint64_t{death.generation} << (kCauseBits + kDetailBits) |
         static_cast<std::uint64_t>(death.cause) << kDetailBits | std::min(detail, kDetailMax);
}

Death unpack_death(std::uint64_t packed) noexcept {
  const auto cause = packed >> kDetailBits & kCauseMax;
  const bool known = cause <= static_cast<std::uint64_t>(DeathCause::silence);
  return {.cause = known ? static_cast<DeathCause>(cause) : DeathCause::none,
          .detail = static_cast<std::int64_t>(packed & kDetailMax),
          .generation = static_cast<std::uint32_t>(packed >> (kCauseBits + kDetailBits))};
}

}  // namespace pyhost::scoreboard

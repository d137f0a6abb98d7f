// Why a request has not had the application's complete reply, in one word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pyhost::gateway {

// Those of failure_causes.def, behind `none`.
enum class FailureCause : std::uint8_t {
  none,
#define PH_FAILURE(kind, name, meaning) name,
#include "pyhost/gateway/failure_causes.def"
#undef PH_FAILURE
};

inline constexpr std::size_t kFailureCauses = 1
#define PH_FAILURE(kind, name, meaning) +1
#include "pyhost/gateway/failure_causes.def"
#undef PH_FAILURE
    ;

// Who has ended it.
enum class FailureKind : std::uint8_t {
  none,
  rejection,  // the module, which has not run it
  abort,      // the client
  error,      // something that is broken
};

FailureKind kind_of(FailureCause cause) noexcept;
// "queue_full"; empty for none.
std::string_view name_of(FailureCause cause) noexcept;
// For people: a clause.
std::string_view meaning_of(FailureCause cause) noexcept;

}  // namespace pyhost::gateway

#include "scoreboard/start_reason.h"

#include <array>

namespace pyhost::scoreboard {

std::string_view name_of(StartReason reason) noexcept {
  constexpr std::array<std::string_view, kStartReasons> kNames{"first",  "scale",        "operator",
                                                               "deploy", "max_requests", "memory",
                                                               "limit",  "timeout",      "crash"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace pyhost::scoreboard

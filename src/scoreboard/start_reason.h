// Why a worker is started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pyhost::scoreboard {

enum class StartReason : std::uint8_t {
  first,         // its slot has had none since the group is wanted
  scale,         // the group has got more slots
  operators,     // a reload, a start, a restart of httpd
  deploy,        // a script has changed, or could not be imported before
  max_requests,  // its predecessor had served maximum-requests
  memory,        // its predecessor was over memory-limit
  limit,         // its predecessor was over another limit that is no failure
  timeout,       // its predecessor has ended by a limit in time, or did not serve any more
  crash,         // its predecessor has ended otherwise, or could not start
};

inline constexpr std::size_t kStartReasons = static_cast<std::size_t>(StartReason::crash) + 1;

// "max_requests"; "operator" for operators.
std::string_view name_of(StartReason reason) noexcept;

}  // namespace pyhost::scoreboard

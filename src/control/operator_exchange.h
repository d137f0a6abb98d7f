// A command's way to the supervisor and back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "pyhost/base/result.h"

namespace pyhost::control {

// How long an answer may be, and take.
struct AnswerLimits {
  std::size_t bytes_max = std::size_t{1} << 30;
  std::optional<base::TimePoint> until;  // nothing: as long as the connection lasts
};

// Sends the line over a connection that has just been made, and gives the answer without its end.
// Fails with what went wrong: "it has ended without an answer".
base::Result<std::string> exchange_lines(int connection, const std::string& line,
                                         const AnswerLimits& limits);

}  // namespace pyhost::control

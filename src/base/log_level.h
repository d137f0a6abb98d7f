// The names of log levels, as httpd writes them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "pyhost/base/log.h"

namespace pyhost::base {

inline constexpr std::array<std::string_view, 9> kLevelNames{
    "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "trace1"};

constexpr std::string_view name_of(LogLevel level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

// Any of httpd's names; trace1 to trace8 are one level here.
constexpr std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return LogLevel(i);
  }
  const bool is_trace = name.size() == kLevelNames.back().size() && name.starts_with("trace") &&
                        name.back() >= '1' && name.back() <= '8';
  return is_trace ? std::optional(LogLevel::trace) : std::nullopt;
}

}  // namespace pyhost::base

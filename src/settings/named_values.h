// Settings that are one of several words.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pyhost/gateway/event_loops.h"
#include "pyhost/gateway/target.h"

namespace pyhost::settings {

template <class Value>
struct NamedValue {
  std::string_view name;
  Value value;
};

inline constexpr auto kInterfaces =
    std::to_array<NamedValue<gateway::Protocol>>({{"auto", gateway::Protocol::detected},
                                                  {"wsgi", gateway::Protocol::wsgi},
                                                  {"asgi", gateway::Protocol::asgi},
                                                  {"asgi2", gateway::Protocol::asgi2}});
inline constexpr auto kLifespanUses =
    std::to_array<NamedValue<gateway::LifespanUse>>({{"auto", gateway::LifespanUse::detected},
                                                     {"on", gateway::LifespanUse::on},
                                                     {"off", gateway::LifespanUse::off}});
inline constexpr auto kLoopKinds =
    std::to_array<NamedValue<gateway::LoopKind>>({{"auto", gateway::LoopKind::detected},
                                                  {"asyncio", gateway::LoopKind::asyncio},
                                                  {"uvloop", gateway::LoopKind::uvloop}});

inline constexpr auto kHttpSpecs =
    std::to_array<NamedValue<gateway::HttpSpec>>({{"2.3", gateway::HttpSpec::v2_3},
                                                  {"2.4", gateway::HttpSpec::v2_4},
                                                  {"2.5", gateway::HttpSpec::v2_5}});

template <class Value, std::size_t count>
std::optional<Value> value_named(const std::array<NamedValue<Value>, count>& values,
                                 std::string_view name) noexcept {
  for (const NamedValue<Value>& each : values) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

template <class Value, std::size_t count>
std::string name_among(const std::array<NamedValue<Value>, count>& values, Value value) {
  for (const NamedValue<Value>& each : values) {
    if (each.value == value) return std::string(each.name);
  }
  return "";
}

}  // namespace pyhost::settings

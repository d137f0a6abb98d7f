#include "pyhost/gateway/request_head.h"

#include <array>
#include <unordered_map>

namespace pyhost::gateway {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
#define PH_ENVIRON_KEY(identifier, name) name,
#include "pyhost/gateway/environ_keys.def"
#undef PH_ENVIRON_KEY
});

}  // namespace

std::string_view name_of(EnvironKey key) noexcept {
  return kNames[static_cast<std::size_t>(key)];
}

EnvironKey find_environ_key(std::string_view name) noexcept {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string_view, EnvironKey>;
    for (std::size_t i = 0; i < kNames.size(); ++i) map->emplace(kNames[i], EnvironKey(i));
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? EnvironKey::other : found->second;
}

}  // namespace pyhost::gateway

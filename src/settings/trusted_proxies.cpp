#include "settings/trusted_proxies.h"

#include <algorithm>

#include "base/parse.h"

namespace pyhost::settings {
namespace {

constexpr bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

std::optional<std::size_t> find_forwarded_key(std::string_view key) noexcept {
  constexpr std::string_view kCommon = "HTTP_X_";
  if (!key.starts_with(kCommon)) return std::nullopt;
  const auto* found = std::ranges::find(kForwardedHeaders, key, &ForwardedHeader::key);
  if (found == kForwardedHeaders.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kForwardedHeaders.begin());
}

bool NetworkList::contains(const base::IpAddress& address) const noexcept {
  return std::ranges::any_of(
      networks, [&](const base::IpNetwork& network) { return network.contains(address); });
}

void ForwardedHeaderList::add(std::size_t header) noexcept {
  const auto number = static_cast<std::uint8_t>(header);
  auto* const end = std::remove(numbers_.begin(), numbers_.begin() + count_, number);
  *end = number;
  count_ = static_cast<std::uint8_t>(end - numbers_.begin() + 1);
}

bool is_header_name(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, is_name_character);
}

void add_header(ForwardedHeaderList& list, std::string_view name) noexcept {
  for (std::size_t i = 0; i < kForwardedHeaders.size(); ++i) {
    if (base::equals_ignoring_case(kForwardedHeaders[i].name, name)) list.add(i);
  }
}

}  // namespace pyhost::settings

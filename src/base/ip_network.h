// Addresses and networks of IPv4 and IPv6, read from numbers alone: no name is ever looked up.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pyhost::base {

// 128 bits. An IPv4 address is the IPv6 address ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that both
// ways to write it are one.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const noexcept;
  bool operator==(const IpAddress&) const = default;
};

// Four decimal numbers, or RFC 4291's text in any letter case; with no port, brackets or blanks.
// The zone of a link-local address (%eth0) is left out.
std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept;

struct IpNetwork {
  IpAddress address;  // its bits outside of the mask are 0
  IpAddress mask;

  // An IPv4 address is in networks of IPv4 only.
  bool contains(const IpAddress& other) const noexcept;
  bool operator==(const IpNetwork&) const = default;
};

// An address, "10.0.0.0/8", "fd00::/8", "10.0.0.0/255.0.0.0", or the beginning of an IPv4 address
// such as "10.1". What an address has outside of the mask is left out.
std::optional<IpNetwork> parse_ip_network(std::string_view text) noexcept;

// As parse_ip_network() takes it.
std::string to_string(const IpNetwork& network);

}  // namespace pyhost::base

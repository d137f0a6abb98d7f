#include "base/ip_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/parse.h"

namespace pyhost::base {
namespace {

constexpr std::size_t kV4Offset = 12;
constexpr std::uint8_t kAllBits = 0xff;
constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;
constexpr IpAddress kV4Prefix{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, kAllBits, kAllBits, 0, 0, 0, 0}};

// inet_pton() wants a NUL behind the text.
bool read_address(int family, std::string_view text, std::uint8_t* into) noexcept {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != text.npos) return false;
  std::ranges::copy(text, copy.begin());
  return inet_pton(family, copy.data(), into) == 1;
}

std::optional<IpAddress> parse_v4(std::string_view text) noexcept {
  IpAddress address = kV4Prefix;
  if (!read_address(AF_INET, text, &address.bytes[kV4Offset])) return std::nullopt;
  return address;
}

IpAddress mask_of(unsigned bits) noexcept {
  IpAddress mask;
  for (std::uint8_t& byte : mask.bytes) {
    const unsigned taken = std::min(bits, 8u);
    byte = static_cast<std::uint8_t>(kAllBits << (8 - taken));
    bits -= taken;
  }
  return mask;
}

// The mask behind the slash: a number of bits, or of an IPv4 network also a netmask.
std::optional<IpAddress> parse_mask(std::string_view text, bool v4) noexcept {
  if (const auto bits = parse_unsigned(text)) {
    if (*bits > (v4 ? kV4Bits : kV6Bits)) return std::nullopt;
    return mask_of(static_cast<unsigned>(*bits) + (v4 ? kV6Bits - kV4Bits : 0));
  }
  auto mask = v4 ? parse_v4(text) : std::nullopt;
  if (mask) std::fill_n(mask->bytes.begin(), kV4Offset, kAllBits);
  return mask;
}

IpNetwork network_of(IpAddress address, const IpAddress& mask) noexcept {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) address.bytes[i] &= mask.bytes[i];
  return {.address = address, .mask = mask};
}

// "10", "10.1", "10.1.2", each perhaps with a dot behind it.
std::optional<IpNetwork> parse_beginning(std::string_view text) noexcept {
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dots = static_cast<unsigned>(std::ranges::count(text, '.'));
  if (text.empty() || dots > 2) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> whole{};
  constexpr std::string_view kRest = ".0.0.0";
  if (text.size() + kRest.size() > whole.size()) return std::nullopt;
  const auto rest = kRest.substr(2 * dots);
  const auto end = std::ranges::copy(rest, std::ranges::copy(text, whole.begin()).out).out;
  const auto address = parse_v4({whole.data(), static_cast<std::size_t>(end - whole.begin())});
  if (!address) return std::nullopt;
  return network_of(*address, mask_of(kV6Bits - kV4Bits + 8 * (dots + 1)));
}

std::string to_text(int family, const std::uint8_t* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

}  // namespace

bool IpAddress::is_v4() const noexcept {
  return std::equal(bytes.begin(), bytes.begin() + kV4Offset, kV4Prefix.bytes.begin());
}

std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept {
  if (const auto v4 = parse_v4(text)) return v4;
  IpAddress address;
  if (!read_address(AF_INET6, text.substr(0, text.find('%')), address.bytes.data())) {
    return std::nullopt;
  }
  return address;
}

bool IpNetwork::contains(const IpAddress& other) const noexcept {
  if (other.is_v4() != address.is_v4()) return false;
  return network_of(other, mask).address == address;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return slash == text.npos ? parse_beginning(text) : std::nullopt;
  if (slash == text.npos) return network_of(*address, mask_of(kV6Bits));
  const bool v4 = text.substr(0, slash).find(':') == text.npos;
  const auto mask = parse_mask(text.substr(slash + 1), v4);
  return mask ? std::optional(network_of(*address, *mask)) : std::nullopt;
}

std::string to_string(const IpNetwork& network) {
  const bool v4 = network.address.is_v4();
  const std::size_t offset = v4 ? kV4Offset : 0;
  const int family = v4 ? AF_INET : AF_INET6;
  const std::string address = to_text(family, &network.address.bytes[offset]);
  unsigned bits = 0;
  for (const std::uint8_t byte : network.mask.bytes) bits += std::popcount(byte);
  if (bits == kV6Bits) return address;
  if (network.mask != mask_of(bits)) {
    return fmt::format("{}/{}", address, to_text(family, &network.mask.bytes[offset]));
  }
  return fmt::format("{}/{}", address, bits - 8 * offset);
}

}  // namespace pyhost::base

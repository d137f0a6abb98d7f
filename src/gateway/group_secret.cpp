#include "pyhost/gateway/group_secret.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>

namespace pyhost::gateway {

GroupSecret::~GroupSecret() {
  ::explicit_bzero(bytes_.data(), bytes_.size());
}

base::Result<GroupSecret> GroupSecret::make() {
  GroupSecret secret;
  // So few bytes come at once or not at all.
  if (::getrandom(secret.bytes_.data(), kBytes, 0) != static_cast<ssize_t>(kBytes)) {
    return base::fail(fmt::format("the system has no random numbers: {}", std::strerror(errno)));
  }
  return secret;
}

std::optional<GroupSecret> GroupSecret::of_bytes(std::string_view bytes) noexcept {
  if (bytes.size() != kBytes) return std::nullopt;
  GroupSecret secret;
  std::ranges::copy(bytes, secret.bytes_.begin());
  return secret;
}

std::optional<GroupSecret> GroupSecret::of_hex(std::string_view digits) {
  if (digits.size() != 2 * kBytes) return std::nullopt;
  GroupSecret secret;
  for (char& byte : secret.bytes_) {
    unsigned char value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
    if (error != std::errc() || stop != digits.data() + 2) return std::nullopt;
    byte = static_cast<char>(value);
    digits.remove_prefix(2);
  }
  return secret;
}

std::string GroupSecret::hex() const {
  std::string digits;
  for (const char byte : bytes_) {
    fmt::format_to(std::back_inserter(digits), "{:02x}", static_cast<unsigned char>(byte));
  }
  return digits;
}

bool GroupSecret::matches(std::string_view bytes) const noexcept {
  if (bytes.size() != kBytes) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    different |= static_cast<unsigned char>(bytes[i]) ^ static_cast<unsigned char>(bytes_[i]);
  }
  return different == 0;
}

}  // namespace pyhost::gateway

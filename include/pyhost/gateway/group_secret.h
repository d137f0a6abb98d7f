// What tells the workers of a process group that whoever connects to them is httpd.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::gateway {

// Known to httpd's parent and children and to the workers of the group, and to nobody else: it is
// in no log, no dump, no command line and no environment, and travels by descriptors only. Stays
// the same for as long as httpd runs. All zero unless it was made; memory that held one is wiped.
class GroupSecret {
 public:
  static constexpr std::size_t kBytes = 32;

  GroupSecret() noexcept = default;
  GroupSecret(const GroupSecret&) noexcept = default;
  GroupSecret& operator=(const GroupSecret&) noexcept = default;
  ~GroupSecret();

  // A new one, of the system's random numbers.
  static base::Result<GroupSecret> make();
  // Nothing unless there are kBytes of them.
  static std::optional<GroupSecret> of_bytes(std::string_view bytes) noexcept;
  // The way back from hex().
  static std::optional<GroupSecret> of_hex(std::string_view digits);

  std::string_view bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }
  std::string hex() const;

  // How long it takes does not depend on the bytes.
  bool matches(std::string_view bytes) const noexcept;

 private:
  std::array<char, kBytes> bytes_{};
};

}  // namespace pyhost::gateway

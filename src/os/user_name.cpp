#include "os/user_name.h"

#include <fmt/format.h>
#include <pwd.h>

#include <array>

namespace pyhost::os {

std::string name_of_user(uid_t uid) {
  std::array<char, 1u << 14> buffer;
  passwd entry, *found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : fmt::format("#{}", uid);
}

}  // namespace pyhost::os

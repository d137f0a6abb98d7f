#include "pyhost/gateway/script_owner.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace pyhost::gateway {
namespace {

// What is wrong with who owns a file or folder, or who may write to it; "" when nothing is.
std::string fault_of(const struct stat& entry, const ScriptOwner& owner) {
  if (owner.user && entry.st_uid != *owner.user) {
    return fmt::format("is not owned by script-user={}", owner.user_name);
  }
  if (owner.group && entry.st_gid != *owner.group) {
    return fmt::format("does not belong to script-group={}", owner.group_name);
  }
  if ((entry.st_mode & S_IWOTH) != 0) return "can be written to by everybody";
  if (owner.user && (entry.st_mode & S_IWGRP) != 0) return "can be written to by its group";
  return "";
}

}  // namespace

base::Result<> check_owner(const ScriptOwner& owner, const std::string& path,
                           const struct stat& file) {
  if (!owner.user && !owner.group) return {};
  if (const std::string fault = fault_of(file, owner); !fault.empty()) {
    return base::fail(fmt::format("{} {}", path, fault));
  }
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  struct stat above {};
  if (::stat(folder.c_str(), &above) != 0) {
    return base::fail(fmt::format("the folder {}: {}", folder, std::strerror(errno)));
  }
  if (const std::string fault = fault_of(above, owner); !fault.empty()) {
    return base::fail(fmt::format("the folder {} {}", folder, fault));
  }
  return {};
}

}  // namespace pyhost::gateway

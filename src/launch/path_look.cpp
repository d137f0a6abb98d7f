#include "launch/path_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace pyhost::launch {
namespace {

using Need = PathLook::Need;

bool may(int mode, const std::string& path) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

std::string reason_of(int error, const std::string& part) {
  if (error == ENOENT) return fmt::format("{} does not exist", part);
  return fmt::format("{} cannot be looked at: {}", part, std::strerror(error));
}

// What is there, and is the last of the path that has to be.
std::optional<std::string> refusal_of_end(const std::string& path, bool is_folder, Need need) {
  if (need == Need::folder) {
    if (!is_folder) return fmt::format("{} is no folder", path);
    if (!may(R_OK | X_OK, path)) return fmt::format("the folder {} is closed", path);
    return std::nullopt;
  }
  if (need == Need::read && !is_folder && !may(R_OK, path)) {
    return fmt::format("the file {} may not be read", path);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> refusal_of(const PathLook& look) {
  const std::string& path = look.path;
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', path.find_first_not_of('/', end)), path.size());
    const std::string part = path.substr(0, end);
    struct stat status {};
    if (stat(part.c_str(), &status) != 0) return reason_of(errno, part);
    const bool is_folder = S_ISDIR(status.st_mode);
    const bool is_end = end == path.size() || path.find_first_not_of('/', end) == path.npos;
    if (is_end || !is_folder) return refusal_of_end(part, is_folder, look.need);
    if (!may(X_OK, part)) return fmt::format("the folder {} is closed", part);
  }
  return std::nullopt;
}

}  // namespace pyhost::launch

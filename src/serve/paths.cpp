#include "serve/paths.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace pyhost::serve {

bool is_folder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::string absolute_path(std::string_view path) {
  std::error_code error;
  const std::string text = std::filesystem::absolute(path, error).lexically_normal();
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

base::Result<> require_folder(std::string_view what, const std::string& path) {
  if (exists(path) && !is_folder(path)) {
    return base::fail(fmt::format("{} {} cannot be used: it is not a folder", what, path));
  }
  if (access(path.c_str(), R_OK | X_OK) != 0) {
    return base::fail(fmt::format("{} {} cannot be used: {}", what, path, std::strerror(errno)));
  }
  return {};
}

base::Result<> require_file(std::string_view what, const std::string& path) {
  if (is_folder(path)) {
    return base::fail(fmt::format("{} {} cannot be used: it is a folder", what, path));
  }
  if (access(path.c_str(), R_OK) != 0) {
    return base::fail(fmt::format("{} {} cannot be used: {}", what, path, std::strerror(errno)));
  }
  return {};
}

}  // namespace pyhost::serve

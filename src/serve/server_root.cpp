#include "serve/server_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace pyhost::serve {

namespace fs = std::filesystem;

base::Result<ServerRoot> ServerRoot::make(const std::string& name,
                                          const std::optional<HttpdUser>& user) {
  ServerRoot root;
  std::error_code error;
  if (name.empty()) {
    const fs::path parent = fs::temp_directory_path(error);
    if (error) {
      const char* named = getenv("TMPDIR");
      return base::fail(fmt::format("TMPDIR={}: {}; a folder for temporary files is needed",
                                    named == nullptr ? "" : named, error.message()));
    }
    std::string pattern = parent / "pyhost-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      return base::fail(
          fmt::format("a temporary folder {} cannot be made: {}", pattern, std::strerror(errno)));
    }
    root.path_ = pattern;
    root.is_temporary_ = true;
    if (user && (chown(pattern.c_str(), 0, user->gid) != 0 || chmod(pattern.c_str(), 0750) != 0)) {
      return base::fail(fmt::format("{}: {}", pattern, std::strerror(errno)));
    }
    return root;
  }
  root.path_ = fs::absolute(name, error).lexically_normal();
  fs::create_directories(root.path_, error);
  if (error) {
    return base::fail(fmt::format("--server-root {} cannot be made: {}", name, error.message()));
  }
  PH_TRY_VOID(root.lock());
  return root;
}

// The kernel lets go of it when this process ends, however it does.
base::Result<> ServerRoot::lock() {
  const std::string path = path_ + "/lock";
  lock_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock_.valid()) return base::fail(fmt::format("{}: {}", path, std::strerror(errno)));
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  return base::fail(fmt::format(
      "--server-root {} is in use by another pyhost serve; give each a folder of its own", path_));
}

ServerRoot::ServerRoot(ServerRoot&& other) noexcept
    : path_(std::move(other.path_)),
      is_temporary_(std::exchange(other.is_temporary_, false)),
      lock_(std::move(other.lock_)) {}

ServerRoot::~ServerRoot() {
  std::error_code ignored;
  if (is_temporary_) fs::remove_all(path_, ignored);
}

base::Result<> ServerRoot::write(std::string_view file, std::string_view text) const {
  const fs::path path = fs::path(path_) / file;
  std::ofstream stream(path, std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) return base::fail(fmt::format("{} cannot be written", path.string()));
  return {};
}

}  // namespace pyhost::serve

#include "serve/server_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryName = "pyhost-";
constexpr std::string_view kLockFile = "/lock";
// They may hold what an application is told in secret.
constexpr mode_t kOwnersOnly = 0600;

base::Result<fs::path> temporary_folder() {
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  if (!error) return folder;
  const char* named = getenv("TMPDIR");
  return base::fail(fmt::format("TMPDIR={}: {}; a folder for temporary files is needed",
                                named == nullptr ? "" : named, error.message()));
}

// Folders of this user alone: what lies in those of others is not followed.
bool is_own_folder(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

base::UniqueFd open_lock(const std::string& folder, int flags) {
  const std::string path = fmt::format("{}{}", folder, kLockFile);
  return base::UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
}

std::vector<std::string> temporary_roots() {
  std::vector<std::string> roots;
  const auto parent = temporary_folder();
  std::error_code error;
  if (!parent) return roots;
  for (const auto& entry : fs::directory_iterator(*parent, error)) {
    const std::string path = entry.path();
    const std::string name = entry.path().filename();
    if (name.starts_with(kTemporaryName) && is_own_folder(path)) roots.push_back(path);
  }
  std::ranges::sort(roots);
  return roots;
}

bool is_in_use(const base::UniqueFd& lock) {
  return flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
}

// Of processes that had no time to do so. One without a lock is just being made.
void remove_abandoned() {
  for (const std::string& path : temporary_roots()) {
    const base::UniqueFd lock = open_lock(path, 0);
    if (!lock.valid() || is_in_use(lock)) continue;
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
}

}  // namespace

base::Result<ServerRoot> ServerRoot::make_temporary(const std::optional<HttpdUser>& user) {
  remove_abandoned();
  PH_TRY(parent, temporary_folder());
  std::string pattern = parent / (std::string(kTemporaryName) + "XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) {
    return base::fail(
        fmt::format("a temporary folder {} cannot be made: {}", pattern, std::strerror(errno)));
  }
  ServerRoot root(pattern);
  root.is_temporary_ = true;
  if (root.lock() != Lock::taken) {
    return base::fail(fmt::format("{}{}: {}", pattern, kLockFile, std::strerror(errno)));
  }
  if (user && (chown(pattern.c_str(), 0, user->gid) != 0 || chmod(pattern.c_str(), 0750) != 0)) {
    return base::fail(fmt::format("{}: {}", pattern, std::strerror(errno)));
  }
  return root;
}

base::Result<ServerRoot> ServerRoot::take(std::string_view what, const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    return base::fail(fmt::format("{} {} cannot be made: {}", what, path, error.message()));
  ServerRoot root(path);
  switch (root.lock()) {
    case Lock::held_by_another:
      return base::fail(fmt::format(
          "{} {} is in use by another pyhost serve; give each a folder of its own", what, path));
    case Lock::impossible:
      return base::fail(fmt::format("{} {}{}: {}", what, path, kLockFile, std::strerror(errno)));
    default:
      return root;
  }
}

// The kernel lets go of it when this process ends, however it does.
ServerRoot::Lock ServerRoot::lock() {
  lock_ = open_lock(path_, O_CREAT);
  if (!lock_.valid()) return Lock::impossible;
  return is_in_use(lock_) ? Lock::held_by_another : Lock::taken;
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
  // A file that somebody could read already stays so while it is written: it is made anew.
  std::error_code ignored;
  fs::remove(path, ignored);
  const base::UniqueFd made(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnersOnly));
  if (!made.valid()) {
    return base::fail(fmt::format("{} cannot be written: {}", path.string(), std::strerror(errno)));
  }
  std::ofstream stream(path, std::ios::app);
  stream << text;
  stream.close();
  if (!stream) return base::fail(fmt::format("{} cannot be written", path.string()));
  return {};
}

std::vector<std::string> server_roots_in_use() {
  std::vector<std::string> roots;
  for (const std::string& path : temporary_roots()) {
    const base::UniqueFd lock = open_lock(path, 0);
    if (lock.valid() && is_in_use(lock)) roots.push_back(path);
  }
  return roots;
}

}  // namespace pyhost::serve

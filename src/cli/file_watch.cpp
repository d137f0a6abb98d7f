#include "cli/file_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace pyhost::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFoldersMax = 4096;

bool is_left_out(std::string_view name) {
  return name.starts_with('.') || name == "__pycache__" || name == "node_modules" ||
         name == "site-packages" || name == "dist-packages";
}

}  // namespace

base::Result<FileWatch> FileWatch::start(const std::vector<std::string>& folders,
                                         const std::string& script) {
  FileWatch watch;
  watch.script_ = script;
  watch.inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.inotify_.valid()) {
    return base::fail(fmt::format("--reload: {}", std::strerror(errno)));
  }
  for (const std::string& folder : folders) PH_TRY_VOID(watch.add_tree(folder));
  return watch;
}

base::Result<> FileWatch::add_folder(const std::string& folder) {
  if (folders_.size() >= kFoldersMax) {
    return base::fail(
        fmt::format("--reload: more than {} folders to watch; name the folder of the application's "
                    "own code with --python-path",
                    kFoldersMax));
  }
  const int id = inotify_add_watch(
      inotify_.get(), folder.c_str(),
      IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
  if (id < 0) {
    // It may have gone in the meantime, or be closed to us: Python does not see it then either.
    if (errno == ENOENT || errno == EACCES || errno == ENOTDIR) return {};
    return base::fail(fmt::format("--reload: watching {}: {}", folder, std::strerror(errno)));
  }
  folders_[id] = folder;
  return {};
}

base::Result<> FileWatch::add_tree(const std::string& folder) {
  PH_TRY_VOID(add_folder(folder));
  std::error_code error;
  auto entries = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    if (!entries->is_directory(ignored) || entries->is_symlink(ignored)) continue;
    if (is_left_out(entries->path().filename().string())) {
      entries.disable_recursion_pending();
    } else {
      PH_TRY_VOID(add_folder(entries->path()));
    }
  }
  return {};
}

std::string FileWatch::read_change() {
  constexpr std::size_t kBufferBytes = 16'384;
  alignas(inotify_event) std::array<char, kBufferBytes> buffer;
  std::string changed;
  while (true) {
    const ssize_t bytes = read(inotify_.get(), buffer.data(), buffer.size());
    if (bytes <= 0) return changed;
    for (ssize_t at = 0; at < bytes;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof event + event.len);
      const auto folder = folders_.find(event.wd);
      if (event.len == 0 || folder == folders_.end()) continue;
      const std::string_view name = event.name;
      const std::string path = folder->second + "/" + std::string(name);
      if ((event.mask & IN_ISDIR) != 0) {
        // A failure leaves the new folder unwatched; the server goes on.
        if (!is_left_out(name)) (void)add_tree(path);
      } else if (name.ends_with(".py") && path != script_ && (event.mask & IN_CREATE) == 0) {
        // A new file's IN_CLOSE_WRITE or IN_MOVED_TO follows when it is whole.
        changed = path;
      }
    }
  }
}

}  // namespace pyhost::cli

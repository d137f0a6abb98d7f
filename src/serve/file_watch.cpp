#include "serve/file_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace pyhost::serve {
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
  auto inotify = os::Inotify::open();
  if (!inotify) return base::fail(fmt::format("--reload: {}", inotify.error().sentence));
  FileWatch watch(*std::move(inotify), script);
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
  const int id = inotify_.add_folder(folder);
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
  // A new file's IN_CLOSE_WRITE or IN_MOVED_TO follows when it is whole.
  constexpr std::uint32_t kNoChangeOfContent = IN_CREATE | IN_ATTRIB;
  std::string changed;
  inotify_.read([&](const os::Inotify::Event& event) {
    const auto folder = folders_.find(event.folder);
    if (event.name.empty() || folder == folders_.end()) return;
    const std::string path = folder->second + "/" + std::string(event.name);
    if ((event.mask & IN_ISDIR) != 0) {
      // A failure leaves the new folder unwatched; the server goes on.
      if (!is_left_out(event.name)) (void)add_tree(path);
    } else if (event.name.ends_with(".py") && path != script_ &&
               (event.mask & kNoChangeOfContent) == 0) {
      changed = path;
    }
  });
  return changed;
}

}  // namespace pyhost::serve

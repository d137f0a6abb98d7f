#include "serve/httpd_user.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::serve {
namespace {

std::string current_user() {
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

base::Result<std::optional<HttpdUser>> choose_httpd_user() {
  if (geteuid() != 0) return std::nullopt;
  for (const char* name : {"www-data", "nobody"}) {
    const passwd* user = getpwnam(name);
    if (user == nullptr) continue;
    HttpdUser chosen{.name = name, .uid = user->pw_uid, .gid = user->pw_gid};
    const group* group = getgrgid(user->pw_gid);
    chosen.group = group != nullptr ? group->gr_name : fmt::format("#{}", user->pw_gid);
    return chosen;
  }
  return base::fail(
      "there is neither a user www-data nor nobody: httpd does not serve as root, so start pyhost "
      "as another user");
}

base::Result<> become(const HttpdUser& user) {
  if (initgroups(user.name.c_str(), user.gid) != 0 ||
      setresgid(user.gid, user.gid, user.gid) != 0 ||
      setresuid(user.uid, user.uid, user.uid) != 0) {
    return base::fail(fmt::format("becoming user {}: {}", user.name, std::strerror(errno)));
  }
  return {};
}

base::Result<> require_readable(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (access(folder.c_str(), X_OK) == 0) continue;
    return base::fail(fmt::format("user {}, who is to serve it, cannot reach {}: {}: {}",
                                  current_user(), path, folder, std::strerror(errno)));
  }
  if (access(path.c_str(), is_folder(path) ? R_OK | X_OK : R_OK) == 0) return {};
  return base::fail(fmt::format("user {}, who is to serve it, cannot read {}: {}", current_user(),
                                path, std::strerror(errno)));
}

}  // namespace pyhost::serve

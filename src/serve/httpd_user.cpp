#include "serve/httpd_user.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/user_name.h"
#include "serve/paths.h"

namespace pyhost::serve {
namespace {

base::Result<std::optional<HttpdUser>> with_group(const ServeOptions& options, const passwd& user) {
  HttpdUser chosen{.name = user.pw_name, .uid = user.pw_uid, .gid = user.pw_gid};
  if (!options.group.empty()) {
    const group* named = getgrnam(options.group.c_str());
    if (named == nullptr) {
      return base::fail(
          fmt::format("{} {}: there is no such group", options.named("group"), options.group));
    }
    chosen.gid = named->gr_gid;
  }
  const group* group = getgrgid(chosen.gid);
  chosen.group = group != nullptr ? group->gr_name : fmt::format("#{}", chosen.gid);
  return chosen;
}

}  // namespace

base::Result<std::optional<HttpdUser>> choose_httpd_user(const ServeOptions& options) {
  if (geteuid() != 0) {
    for (const char* name : {"user", "group"}) {
      if (!options.has(name)) continue;
      return base::fail(
          fmt::format("{} needs root, who alone can become somebody else", options.named(name)));
    }
    return std::nullopt;
  }
  if (!options.user.empty()) {
    const passwd* user = getpwnam(options.user.c_str());
    if (user == nullptr || user->pw_uid == 0) {
      return base::fail(
          fmt::format("{} {}: {}", options.named("user"), options.user,
                      user == nullptr ? "there is no such user" : "httpd does not serve as root"));
    }
    return with_group(options, *user);
  }
  for (const char* name : {"www-data", "nobody"}) {
    const passwd* user = getpwnam(name);
    if (user != nullptr) return with_group(options, *user);
  }
  return base::fail(
      "there is neither a user www-data nor nobody: httpd does not serve as root, so start pyhost "
      "as another user, or name one with --user");
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
                                  os::name_of_user(geteuid()), path, folder, std::strerror(errno)));
  }
  if (access(path.c_str(), is_folder(path) ? R_OK | X_OK : R_OK) == 0) return {};
  return base::fail(fmt::format("user {}, who is to serve it, cannot read {}: {}",
                                os::name_of_user(geteuid()), path, std::strerror(errno)));
}

}  // namespace pyhost::serve

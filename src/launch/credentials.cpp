#include "launch/credentials.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/parse.h"
#include "launch/oom_score.h"

namespace pyhost::launch {
namespace {

// An entry of the user or group database is at most this long; longer ones are refused by us
// rather than guessed.
using EntryBuffer = std::array<char, 1u << 16>;

struct User {
  uid_t uid;
  std::string name;
  std::string home;
};

std::optional<User> user_of(const passwd* entry) {
  if (entry == nullptr) return std::nullopt;
  return User{entry->pw_uid, entry->pw_name, entry->pw_dir};
}

std::optional<User> find_user(uid_t uid) {
  EntryBuffer buffer;
  passwd entry, *found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return user_of(found);
}

std::optional<User> find_user(const std::string& name) {
  EntryBuffer buffer;
  passwd entry, *found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return user_of(found);
}

// The number of "#number"; nothing when it is a name.
std::optional<std::uint32_t> number_of(std::string_view text) {
  if (!text.starts_with('#')) return std::nullopt;
  const auto number = base::parse_unsigned(text.substr(1));
  return number && *number < UINT32_MAX ? std::optional<std::uint32_t>(*number) : std::nullopt;
}

base::Result<User> resolve_user(std::string_view text) {
  const auto number = number_of(text);
  const auto user = number ? find_user(uid_t{*number}) : find_user(std::string(text));
  if (!user) return base::fail(fmt::format("there is no user {} on this system", text));
  return *user;
}

base::Result<gid_t> resolve_group(std::string_view text) {
  if (const auto number = number_of(text)) return gid_t{*number};
  EntryBuffer buffer;
  group entry, *found = nullptr;
  getgrnam_r(std::string(text).c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return base::fail(fmt::format("there is no group {} on this system", text));
  return entry.gr_gid;
}

// The groups that the user is a member of.
std::vector<gid_t> groups_of(const std::string& user_name, gid_t gid) {
  if (user_name.empty()) return {gid};
  int count = 0;
  getgrouplist(user_name.c_str(), gid, nullptr, &count);
  std::vector<gid_t> groups(count);
  getgrouplist(user_name.c_str(), gid, groups.data(), &count);
  return groups;
}

base::Result<std::vector<gid_t>> resolve_groups(const settings::ProcessGroup& group,
                                                const Credentials& credentials) {
  std::vector<gid_t> groups{credentials.gid};
  if (!group.supplementary_groups) {
    groups = groups_of(credentials.user_name, credentials.gid);
  } else {
    for (const std::string& name : *group.supplementary_groups) {
      PH_TRY(gid, resolve_group(name));
      groups.push_back(gid);
    }
  }
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  const long groups_max = sysconf(_SC_NGROUPS_MAX);
  if (groups_max > 0 && std::cmp_greater(groups.size(), groups_max)) {
    return base::fail(fmt::format("supplementary-groups= names {} groups, the system allows {}",
                                  groups.size(), groups_max));
  }
  return groups;
}

base::Result<Credentials> resolve(const settings::ProcessGroup& group,
                                  control::HttpdIdentity httpd) {
  Credentials credentials{.privileged = geteuid() == 0};
  const control::HttpdIdentity own =
      credentials.privileged ? httpd : control::HttpdIdentity{.uid = geteuid(), .gid = getegid()};
  credentials.uid = own.uid;
  credentials.gid = own.gid;
  if (!group.user.empty()) {
    PH_TRY(user, resolve_user(group.user));
    if (credentials.privileged) credentials.uid = user.uid;
  }
  if (!group.group.empty()) {
    PH_TRY(gid, resolve_group(group.group));
    if (credentials.privileged) credentials.gid = gid;
  }
  if (const auto user = find_user(credentials.uid)) {
    credentials.user_name = user->name;
    credentials.home = user->home;
  }
  credentials.other_than_httpd = credentials.uid != own.uid;
  if (!credentials.privileged) {
    if (group.chroot.empty()) return credentials;
    return base::fail(
        fmt::format("chroot= needs httpd to be started by root, not by user id {}", geteuid()));
  }
  if (credentials.uid == 0) {
    return base::fail("its workers would run as root; give user= another user");
  }
  PH_TRY(groups, resolve_groups(group, credentials));
  credentials.groups = std::move(groups);
  // All of them are there, its own too.
  if (credentials.groups.front() == 0) {
    return base::fail(
        "its workers would have the rights of the group root; give group= and, where the user "
        "belongs to that group, supplementary-groups= others");
  }
  return credentials;
}

}  // namespace

base::Result<Credentials> resolve_credentials(const settings::ProcessGroup& group,
                                              control::HttpdIdentity httpd) {
  auto credentials = resolve(group, httpd);
  if (!credentials) {
    return base::fail(
        fmt::format("WSGIDaemonProcess {}: {}", group.name, credentials.error().sentence));
  }
  return credentials;
}

std::vector<std::string_view> options_for_root(const settings::ProcessGroup& group) {
  std::vector<std::string_view> options;
  if (geteuid() == 0) return options;
  const auto user = resolve_user_id(group.user);
  if (!group.user.empty() && (!user || *user != geteuid())) options.emplace_back("user=");
  const auto gid = resolve_group_id(group.group);
  if (!group.group.empty() && (!gid || *gid != getegid())) options.emplace_back("group=");
  if (group.supplementary_groups) options.emplace_back("supplementary-groups=");
  if (group.cpu_priority < 0) options.emplace_back("cpu-priority= below 0");
  if (is_oom_score_for_root(group)) options.emplace_back("oom-score-adjust= below httpd's");
  return options;
}

base::Result<uid_t> resolve_user_id(std::string_view text) {
  PH_TRY(user, resolve_user(text));
  return user.uid;
}

base::Result<gid_t> resolve_group_id(std::string_view text) {
  return resolve_group(text);
}

}  // namespace pyhost::launch

#include "apache/request/jail.h"

namespace pyhost::apache {

std::optional<std::string_view> path_in_jail(const DaemonGroup* group, std::string_view path) {
  if (group == nullptr || group->options.chroot.empty()) return path;
  std::string_view root = group->options.chroot;
  while (root.ends_with('/')) root.remove_suffix(1);
  const bool inside = path.starts_with(root) && path.substr(root.size()).starts_with('/');
  return inside ? std::optional(path.substr(root.size())) : std::nullopt;
}

}  // namespace pyhost::apache

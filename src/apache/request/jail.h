// Paths of the system as the workers of a group with chroot= see them.
#pragma once

#include <optional>
#include <string_view>

#include "apache/config/daemon_group.h"

namespace pyhost::apache {

// A view of the end of `path`, or all of it for a group without chroot= and for nullptr; nothing
// when the workers cannot see it.
std::optional<std::string_view> path_in_jail(const DaemonGroup* group, std::string_view path);

}  // namespace pyhost::apache

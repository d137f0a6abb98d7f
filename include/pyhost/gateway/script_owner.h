// Whose scripts a process group runs.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "pyhost/base/result.h"

struct stat;

namespace pyhost::gateway {

// script-user= and script-group= of a process group. Without either anybody's scripts are run.
struct ScriptOwner {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  // As the configuration has them.
  std::string user_name;
  std::string group_name;

  bool operator==(const ScriptOwner&) const = default;
};

// Whether the script at `path`, which is `file`, and its folder are owned like that, and whether
// nobody else may write to them. The error is a sentence that names the one that is not as it
// should be.
base::Result<> check_owner(const ScriptOwner& owner, const std::string& path,
                           const struct stat& file);

}  // namespace pyhost::gateway

// As whom the workers of a group run.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "control/httpd_identity.h"
#include "pyhost/base/result.h"
#include "settings/process_group.h"

namespace pyhost::launch {

struct Credentials {
  bool privileged = false;  // we are root: the ids are to be changed
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones, sorted, with gid; unused when not privileged
  std::string user_name;      // "" when the uid has no name
  std::string home;           // the user's home directory; "" when it has none
  bool other_than_httpd = false;

  bool operator==(const Credentials&) const = default;
};

// Looks names up now. Who is not root can change neither user nor groups: the ids are then our own.
// Fails with a sentence for an unknown user or group, for root, and for chroot= without the right
// to it.
base::Result<Credentials> resolve_credentials(const settings::ProcessGroup& group,
                                              control::HttpdIdentity httpd);

// The options of the group that only root can give effect, when we are not root.
std::vector<std::string_view> options_for_root(const settings::ProcessGroup& group);

// The id of a user or group given as a name or "#id". Fails with a sentence for an unknown one.
base::Result<uid_t> resolve_user_id(std::string_view text);
base::Result<gid_t> resolve_group_id(std::string_view text);

}  // namespace pyhost::launch

// As whom httpd's children run.
#pragma once

#include <sys/types.h>

namespace pyhost::control {

// The User and Group of httpd's configuration.
struct HttpdIdentity {
  uid_t uid = 0;
  gid_t gid = 0;

  bool operator==(const HttpdIdentity&) const = default;
};

}  // namespace pyhost::control

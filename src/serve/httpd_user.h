// The account that httpd's children run under.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

struct HttpdUser {
  std::string name;
  std::string group;
  uid_t uid = 0;
  gid_t gid = 0;
};

// That of --user, otherwise www-data, or nobody where that is missing, when this process is root's;
// nothing otherwise: httpd then stays who it is. Fails for an unknown one and for root.
base::Result<std::optional<HttpdUser>> choose_httpd_user(const ServeOptions& options);

// Becomes the user for good.
base::Result<> become(const HttpdUser& user);

// Fails with a sentence when this process may not read a file, or read and search a folder; names
// the first folder on the way that is closed.
base::Result<> require_readable(const std::string& path);

}  // namespace pyhost::serve

// The folder that a httpd of ours keeps its files in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "serve/httpd_user.h"

namespace pyhost::serve {

// Open to its owner, and to the group of the user httpd serves as. A temporary one is removed at
// the end with all it holds; a named one stays.
class ServerRoot {
 public:
  // Makes the folder, and takes it for this process alone; a name of "" makes a temporary one.
  static base::Result<ServerRoot> make(const std::string& name,
                                       const std::optional<HttpdUser>& user);

  ServerRoot(ServerRoot&& other) noexcept;
  ServerRoot& operator=(ServerRoot&&) = delete;
  ~ServerRoot();

  const std::string& path() const noexcept { return path_; }
  base::Result<> write(std::string_view file, std::string_view text) const;

 private:
  ServerRoot() = default;

  base::Result<> lock();

  std::string path_;
  bool is_temporary_ = false;
  base::UniqueFd lock_;
};

}  // namespace pyhost::serve

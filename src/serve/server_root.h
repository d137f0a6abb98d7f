// The folder that a httpd of ours keeps its files in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "serve/httpd_user.h"

namespace pyhost::serve {

// Open to its owner, and to the group of the user httpd serves as. A temporary one is removed at
// the end with all it holds, or at the next start when this process could not do that; a named one
// stays. While it lives no other process takes it.
class ServerRoot {
 public:
  // `what` begins the sentence of a failure: "--server-root".
  static base::Result<ServerRoot> take(std::string_view what, const std::string& path);
  static base::Result<ServerRoot> make_temporary(const std::optional<HttpdUser>& user);

  ServerRoot(ServerRoot&& other) noexcept;
  ServerRoot& operator=(ServerRoot&&) = delete;
  ~ServerRoot();

  const std::string& path() const noexcept { return path_; }
  // For its owner's eyes alone; an older file of that name goes.
  base::Result<> write(std::string_view file, std::string_view text) const;

 private:
  explicit ServerRoot(std::string path) : path_(std::move(path)) {}

  enum class Lock { taken, held_by_another, impossible };
  Lock lock();

  std::string path_;
  bool is_temporary_ = false;
  base::UniqueFd lock_;
};

// The temporary ones that are in use by processes of this user.
std::vector<std::string> server_roots_in_use();

}  // namespace pyhost::serve

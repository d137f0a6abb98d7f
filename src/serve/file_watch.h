// Notices when Python files change.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "os/inotify.h"
#include "pyhost/base/result.h"

namespace pyhost::serve {

// Watches *.py in folders and all folders below them, except hidden ones, caches and installed
// packages. Folders that appear later are watched too. Not synchronised.
class FileWatch {
 public:
  // `script` is not reported: httpd reloads it by itself. Fails when the system allows no more
  // watches, or when the folders are so many that a virtualenv or data must be among them.
  static base::Result<FileWatch> start(const std::vector<std::string>& folders,
                                       const std::string& script);

  // Readable when something happened.
  int fd() const noexcept { return inotify_.fd(); }

  // Reads what happened. The path of a Python file that changed; empty when none did.
  std::string read_change();

 private:
  FileWatch(os::Inotify inotify, std::string script)
      : inotify_(std::move(inotify)), script_(std::move(script)) {}
  base::Result<> add_tree(const std::string& folder);
  base::Result<> add_folder(const std::string& folder);

  os::Inotify inotify_;
  std::string script_;
  std::unordered_map<int, std::string> folders_;
};

}  // namespace pyhost::serve

// What the folders and files that options name are.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::serve {

bool is_folder(const std::string& path);
bool exists(const std::string& path);

// Absolute and without "." and "..", from the current folder.
std::string absolute_path(std::string_view path);

// Fails with a sentence that begins with `what` when it is not there, no folder, or closed to this
// process.
base::Result<> require_folder(std::string_view what, const std::string& path);
base::Result<> require_file(std::string_view what, const std::string& path);

}  // namespace pyhost::serve

// Where mod_pyhost.so lies, with its programs and plugins.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::serve {

inline constexpr char kModuleFile[] = "mod_pyhost.so";

// Beside this program when it was built; in httpd's folder of modules, or in one of its own, when
// it was installed. Fails with a sentence that has these folders.
base::Result<std::string> find_module_folder(const std::string& modules_dir);

}  // namespace pyhost::serve

#include "serve/module_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "plugin/plugin_loader.h"

namespace pyhost::serve {

namespace fs = std::filesystem;

base::Result<std::string> find_module_folder(const std::string& modules_dir) {
  const fs::path here = plugin::folder_of_this_object();
  const fs::path installed = (here / PYHOST_MODULES_FROM_BINDIR).lexically_normal();
  for (const fs::path& folder : {here, fs::path(modules_dir), installed}) {
    if (access((folder / kModuleFile).c_str(), R_OK) == 0) return folder.string();
  }
  return base::fail(fmt::format("{} is in none of {}, {} and {}", kModuleFile, here.string(),
                                modules_dir, installed.string()));
}

}  // namespace pyhost::serve

#include "serve/reload_patterns.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "serve/config_words.h"
#include "serve/paths.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

bool has_no_code_of_its_own(const fs::path& folder) {
  const std::string name = folder.filename();
  return name.starts_with('.') || name == "__pycache__" || name == "node_modules" ||
         name == "site-packages" || name == "dist-packages" || exists(folder / "pyvenv.cfg");
}

}  // namespace

std::vector<std::string> python_patterns(const std::vector<std::string>& folders) {
  std::vector<std::string> patterns;
  for (const std::string& folder : folders) {
    // A pattern has a name as its first component.
    if (folder == "/") continue;
    patterns.push_back(glob_of(folder) + "/*.py");
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      std::error_code ignored;
      if (!entry.is_directory(ignored) || has_no_code_of_its_own(entry.path())) continue;
      patterns.push_back(glob_of(entry.path().string()) + "/**/*.py");
    }
  }
  std::ranges::sort(patterns);
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  return patterns;
}

}  // namespace pyhost::serve

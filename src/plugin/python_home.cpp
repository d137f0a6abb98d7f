#include "plugin/python_home.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "os/small_file.h"

namespace pyhost::plugin {
namespace {

namespace fs = std::filesystem;

// As whoever this process acts as at the moment: access() asks for whom it was started by.
bool may(int mode, const fs::path& path) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

// The `version` (venv) or `version_info` (virtualenv) entry in the text of a pyvenv.cfg, "3.11.2".
std::optional<std::string> version_in(const std::string& pyvenv_cfg) {
  std::istringstream lines(pyvenv_cfg);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (equals == line.npos) continue;
    const auto trim = [](std::string text) {
      const auto first = text.find_first_not_of(" \t\r");
      if (first == text.npos) return std::string();
      return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
    };
    const std::string key = trim(line.substr(0, equals));
    if (key == "version" || key == "version_info") return trim(line.substr(equals + 1));
  }
  return std::nullopt;
}

bool is_version(std::string_view full, std::string_view major_minor) {
  return full.starts_with(major_minor) &&
         (full.size() == major_minor.size() || full[major_minor.size()] == '.');
}

bool has_standard_library(const fs::path& prefix, std::string_view version) {
  return may(R_OK, prefix / "lib" / fmt::format("python{}", version) / "os.py");
}

// Whether this is the root of an environment of any version: used to look upwards from bin/ or
// lib/.
bool looks_like_root(const fs::path& folder) {
  if (may(F_OK, folder / "pyvenv.cfg")) return true;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "lib", error)) {
    if (entry.path().filename().string().starts_with("python3.") &&
        may(F_OK, entry.path() / "os.py")) {
      return true;
    }
  }
  return false;
}

// Whether a folder or file of this name is part of an environment: the others are not left upwards,
// or every path would end at "/", which on merged-/usr systems looks like an installation.
bool is_part_of_environment(const std::string& name) {
  if (name == "bin" || name == "lib" || name == "site-packages") return true;
  constexpr std::string_view kPython = "python";
  return name.starts_with(kPython) &&
         name.find_first_not_of("0123456789.", kPython.size()) == name.npos;
}

// The root of the environment that a path such as <root>/bin/python lies in; otherwise the path.
fs::path root_above(const fs::path& path) {
  constexpr int kLevelsUpMax = 3;  // lib/python3.11/site-packages
  fs::path root = path;
  for (int level = 0; level < kLevelsUpMax && !looks_like_root(root); ++level) {
    if (!is_part_of_environment(root.filename())) break;
    root = root.parent_path();
  }
  return looks_like_root(root) ? root : path;
}

// The first part of an environment that is there and may not be used; empty when there is none.
// Python itself passes over such a part without a word.
fs::path closed_part_of(const fs::path& root, std::string_view version) {
  const fs::path lib = root / "lib" / fmt::format("python{}", version);
  const std::pair<fs::path, int> parts[] = {{root, X_OK},
                                            {root / "lib", X_OK},
                                            {lib, R_OK | X_OK},
                                            {lib / "os.py", R_OK},
                                            {lib / "site-packages", R_OK | X_OK}};
  for (const auto& [path, mode] : parts) {
    if (!may(mode, path) && errno == EACCES) return path;
  }
  return {};
}

// The versions whose standard library lies under a prefix, "3.9, 3.12".
std::string versions_under(const fs::path& prefix) {
  std::string versions;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(prefix / "lib", error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("python3.") || !may(F_OK, entry.path() / "os.py")) continue;
    if (!versions.empty()) versions += ", ";
    versions += name.substr(std::string_view("python").size());
  }
  return versions;
}

// "3.11" of "3.11.2".
std::string major_minor_of(const std::string& version) {
  return version.substr(0, version.find('.', version.find('.') + 1));
}

fs::path environment_at(std::string_view path) {
  fs::path root = fs::path(path).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();
  return root_above(root);
}

}  // namespace

std::string PythonEnvironment::program() const {
  return fmt::format("{}/bin/python{}", root, is_virtualenv ? "" : version);
}

std::optional<PythonEnvironment> find_environment(std::string_view path) {
  const fs::path root = environment_at(path);
  if (may(F_OK, root / "pyvenv.cfg")) {
    const auto text = os::read_small_file(root / "pyvenv.cfg");
    const auto version = text ? version_in(*text) : std::nullopt;
    if (!version) return std::nullopt;
    return PythonEnvironment{root, major_minor_of(*version), true};
  }
  const std::string versions = versions_under(root);
  if (versions.empty() || versions.find(',') != versions.npos) return std::nullopt;
  return PythonEnvironment{root, versions, false};
}

base::Result<PythonHome> inspect_python_home(std::string_view path,
                                             std::string_view python_version) {
  const std::string shown(path);
  if (shown.empty() || shown.front() != '/') {
    return base::fail(fmt::format("'{}' is not an absolute path", shown));
  }
  struct stat status {};
  if (stat(shown.c_str(), &status) != 0) {
    return base::fail(fmt::format("{} cannot be used: {}", shown, std::strerror(errno)));
  }

  const fs::path root = environment_at(shown);
  if (const fs::path closed = closed_part_of(root, python_version); !closed.empty()) {
    return base::fail(fmt::format("{} cannot be used: {}", closed.string(), std::strerror(EACCES)));
  }
  if (!looks_like_root(root)) {
    return base::fail(
        fmt::format("{} is not a Python environment: neither a virtualenv (no pyvenv.cfg) nor "
                    "a Python installation (no lib/python{}/os.py)",
                    shown, python_version));
  }

  const fs::path marker = root / "pyvenv.cfg";
  if (may(F_OK, marker)) {
    const auto text = os::read_small_file(marker);
    if (!text) {
      return base::fail(
          fmt::format("{} cannot be read: {}", marker.string(), text.error().sentence));
    }
    const auto version = version_in(*text);
    if (version && !is_version(*version, python_version)) {
      return base::fail(
          fmt::format("{} is a virtualenv of Python {}, but Python {} is needed: make it anew "
                      "with python{} -m venv",
                      root.string(), *version, python_version, python_version));
    }
    return PythonHome{.program = (root / "bin" / "python").string(), .home = ""};
  }
  if (!has_standard_library(root, python_version)) {
    return base::fail(fmt::format("{} is an installation of Python {}, but Python {} is needed",
                                  root.string(), versions_under(root), python_version));
  }
  return PythonHome{.program = "", .home = root.string()};
}

}  // namespace pyhost::plugin

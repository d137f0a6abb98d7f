#include "serve/import_advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/nearest.h"
#include "serve/usual_names.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMissing = "No module named '";
constexpr std::string_view kDefined = "the callables it defines are: ";

// Of Python's words "No module named 'shop.web'" the module; "" when they are not there.
std::string missing_module(const std::string& failure) {
  const auto at = failure.find(kMissing);
  if (at == failure.npos) return {};
  const auto begin = at + kMissing.size();
  return failure.substr(begin, failure.find('\'', begin) - begin);
}

std::string missing_package(const std::string& failure) {
  const std::string module = missing_module(failure);
  return module.substr(0, module.find('.'));
}

// Of the target, or a package that it is in.
bool is_target_missing(const std::string& failure, const std::string& module) {
  const std::string missing = missing_module(failure);
  return !missing.empty() && (module == missing || module.starts_with(missing + "."));
}

// A folder above the script's own that has such a package or module; "" when there is none.
std::string folder_with(const std::string& package, const std::string& script) {
  if (package.empty()) return {};
  const fs::path own = fs::path(script).parent_path();
  for (fs::path folder = own.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    std::error_code ignored;
    if (fs::is_directory(folder / package, ignored) ||
        fs::exists(folder / (package + ".py"), ignored)) {
      return folder;
    }
  }
  return {};
}

// The modules in a folder, "wsgi" and "shop".
std::vector<std::string> modules_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    const fs::path& path = entry.path();
    const bool is_package =
        entry.is_directory(ignored) && fs::exists(path / "__init__.py", ignored);
    if (path.extension() == ".py" || is_package) names.push_back(path.stem());
  }
  return names;
}

std::string nearest_of(const std::string& name, const std::vector<std::string>& names) {
  if (std::ranges::find(names, name) != names.end()) return name;
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(base::nearest_name(name, views));
}

// The module below the folder that has nearly the same name, component by component.
std::string nearest_module(const std::string& module, const fs::path& folder) {
  fs::path below = folder;
  std::string found;
  for (std::size_t start = 0; start <= module.size();) {
    const auto dot = std::min(module.find('.', start), module.size());
    const std::string nearest = nearest_of(module.substr(start, dot - start), modules_in(below));
    if (nearest.empty()) return {};
    found += (found.empty() ? "" : ".") + nearest;
    below /= nearest;
    start = dot + 1;
  }
  return found;
}

std::string with_places(const std::string& failure, const Site& site) {
  std::string text =
      fmt::format("{}; it was looked for in {}", failure, fmt::join(site.python_path, " and "));
  text += site.python_home.empty() ? std::string(" and Python's own packages")
                                   : fmt::format(" and {}", site.python_home);
  for (const std::string& folder : site.python_path) {
    const std::string nearest = nearest_module(site.module, folder);
    if (nearest.empty() || nearest == site.module) continue;
    return fmt::format("{}; did you mean {}:{}?", text, nearest,
                       site.callable.empty() ? kUsualCallables.front() : site.callable);
  }
  return text + "; --python-path names another folder";
}

std::vector<std::string> defined_callables(const std::string& failure) {
  std::vector<std::string> names;
  const auto at = failure.find(kDefined);
  if (at == failure.npos) return names;
  std::string_view rest = std::string_view(failure).substr(at + kDefined.size());
  while (true) {
    const auto comma = rest.find(", ");
    names.emplace_back(rest.substr(0, comma));
    if (comma == rest.npos) return names;
    rest.remove_prefix(comma + 2);
  }
}

// A callable that the module has: nearly the one that was named, or a usual one.
std::string meant_callable(const std::string& named, const std::vector<std::string>& defined) {
  if (std::string nearest = nearest_of(named, defined); !nearest.empty()) return nearest;
  for (const std::string_view usual : kUsualCallables) {
    const std::string name(usual.substr(0, usual.find('(')));
    if (std::ranges::find(defined, name) != defined.end()) return std::string(usual);
  }
  return {};
}

}  // namespace

std::string with_advice(const std::string& failure, const Site& site) {
  if (site.form == TargetForm::module && is_target_missing(failure, site.module)) {
    return with_places(failure, site);
  }
  if (site.form == TargetForm::script) {
    const std::string folder = folder_with(missing_package(failure), site.path);
    if (!folder.empty()) return fmt::format("{}; try --python-path {}", failure, folder);
  }
  const auto defined = defined_callables(failure);
  if (defined.empty()) return failure;
  const std::string& place = site.form == TargetForm::module ? site.module : site.path;
  if (site.callable.empty()) {
    return fmt::format("{}; name one, as in {}:{}", failure, place, defined.front());
  }
  const std::string meant = meant_callable(site.callable, defined);
  return meant.empty() ? failure : fmt::format("{}; did you mean {}:{}?", failure, place, meant);
}

}  // namespace pyhost::serve

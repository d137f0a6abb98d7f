#include "serve/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "serve/paths.h"
#include "serve/target.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

base::Result<std::string> url_path(const std::string& option, std::string url) {
  if (!url.starts_with('/')) {
    return base::fail(
        fmt::format("{} '{}': a URL path is needed, beginning with a slash", option, url));
  }
  while (url.size() > 1 && url.ends_with('/')) url.pop_back();
  return url;
}

base::Result<> resolve_statics(const ServeOptions& options, Site& site) {
  const std::string option = options.named("static");
  for (const auto& [url, path] : options.statics) {
    PH_TRY(mounted, url_path(option, url));
    const bool is_file = exists(path) && !is_folder(path);
    if (is_file) {
      PH_TRY_VOID(require_file(option, path));
    } else {
      PH_TRY_VOID(require_folder(option, path));
    }
    site.statics.push_back({mounted, path, is_file});
  }
  // mod_alias takes the first that fits: of two, the one below the other.
  std::ranges::stable_sort(site.statics, std::greater(), &StaticMount::url);
  return {};
}

base::Result<> resolve_python_path(const ServeOptions& options, Site& site) {
  const std::string option = options.named("python-path");
  if (!site.runs_python()) site.python_path.clear();
  if (!options.python_path.empty()) {
    for (const std::string& folder : options.python_path) {
      PH_TRY_VOID(require_folder(option, folder));
    }
    site.python_path = options.python_path;
  }
  for (const std::string& folder : site.python_path) {
    if (folder.find(':') == folder.npos) continue;
    return base::fail(fmt::format(
        "{} {}: a folder with a colon in its name cannot be on Python's path", option, folder));
  }
  return {};
}

// The virtualenv that is active, or one beside the application.
void find_python_home(const ServeOptions& options, Site& site) {
  if (!site.runs_python()) return;
  if (!options.python_home.empty() || options.has("python-home")) {
    site.python_home = options.python_home;
    site.python_home_source = options.named("python-home");
    return;
  }
  if (const char* active = getenv("VIRTUAL_ENV"); active != nullptr && *active != '\0') {
    site.python_home = absolute_path(active);
    site.python_home_source = "$VIRTUAL_ENV";
    return;
  }
  std::vector<std::string> folders = site.python_path;
  if (!site.path.empty()) folders.push_back(fs::path(site.path).parent_path());
  for (const std::string& folder : folders) {
    for (const char* name : {".venv", "venv"}) {
      const std::string home = folder + "/" + name;
      if (!exists(home + "/pyvenv.cfg")) continue;
      site.python_home = home;
      site.python_home_source = home;
      return;
    }
  }
}

}  // namespace

std::string Site::name() const {
  if (form == TargetForm::folder) return path;
  const std::string& place = form == TargetForm::module ? module : path;
  return callable.empty() ? place : fmt::format("{}:{}", place, callable);
}

base::Result<Site> resolve(const ServeOptions& options) {
  Site site;
  PH_TRY_VOID(resolve_target(options, site));
  PH_TRY(mount, url_path(options.named("mount"), options.mount));
  site.mount = mount;
  if (options.application_group.empty()) {
    return base::fail(fmt::format("{} '': a name is needed", options.named("application-group")));
  }
  for (const char* name : {"auth-user-script", "service"}) {
    if (site.runs_python() || !options.has(name)) continue;
    return base::fail(fmt::format("{} needs Python, and {} is a folder of files",
                                  options.named(name), options.target));
  }
  PH_TRY_VOID(resolve_python_path(options, site));
  find_python_home(options, site);
  PH_TRY_VOID(resolve_statics(options, site));
  return site;
}

}  // namespace pyhost::serve

#include "serve/serve_options.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "pyhost/gateway/target.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

// A line of httpd's configuration cannot hold what a terminal cannot show.
bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

base::Result<std::string> absolute_path(std::string_view what, const std::string& path) {
  if (!is_printable(path)) {
    return base::fail(fmt::format("{} has a control character in its name", what));
  }
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  if (error) return base::fail(fmt::format("{} {}: {}", what, path, error.message()));
  const std::string text = absolute;
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

base::Result<std::string> readable_folder(std::string_view what, const std::string& path) {
  PH_TRY(absolute, absolute_path(what, path));
  struct stat status {};
  if (stat(absolute.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
    return base::fail(fmt::format("{} {} cannot be used: it is not a folder", what, path));
  }
  if (access(absolute.c_str(), R_OK | X_OK) != 0) {
    return base::fail(fmt::format("{} {} cannot be used: {}", what, path, std::strerror(errno)));
  }
  return absolute;
}

base::Result<std::string> url_path(std::string_view option, std::string url) {
  if (!url.starts_with('/') || !is_printable(url)) {
    return base::fail(
        fmt::format("{} '{}': a URL path is needed, beginning with a slash", option, url));
  }
  while (url.size() > 1 && url.ends_with('/')) url.pop_back();
  return url;
}

base::Result<StaticMount> static_mount(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals + 1 == text.size()) {
    return base::fail(
        fmt::format("--static '{}': URL=DIR is needed, such as /static=./static", text));
  }
  PH_TRY(url, url_path("--static", text.substr(0, equals)));
  PH_TRY(folder, readable_folder("--static", text.substr(equals + 1)));
  return StaticMount{url, folder};
}

// Whoever starts a server in the folder of a project wants the application, not its source.
base::Result<> require_files_only(const std::string& folder) {
  for (const char* name :
       {"manage.py", "wsgi.py", "app.py", "application.py", "passenger_wsgi.py"}) {
    if (access((folder + "/" + name).c_str(), F_OK) != 0) continue;
    return base::fail(fmt::format(
        "{} is the folder of an application (it has {}), and a folder is served as static files; "
        "name the application instead, as script.py, or as package.module:callable with "
        "--python-path {}",
        folder, name, folder));
  }
  return {};
}

// How else somebody may have meant a target that is no file.
std::string advice_on(std::string_view target) {
  const auto colon = target.rfind(':');
  if (colon != target.npos && target.substr(0, colon).ends_with(".py")) {
    return fmt::format("; a script is named without its callable, which is --callable {}",
                       target.substr(colon + 1));
  }
  const bool dotted = target.find_first_of("/:") == target.npos;
  if (dotted) return fmt::format("; a module needs its callable too, as in {}:application", target);
  return "; a script, package.module:callable or a folder is needed";
}

base::Result<> resolve_file_or_folder(const ServeOptions& options, Site& site) {
  PH_TRY(path, absolute_path("TARGET", options.target));
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return base::fail(
        fmt::format("{}: {}{}", options.target, std::strerror(errno), advice_on(options.target)));
  }
  site.path = path;
  site.form = S_ISDIR(status.st_mode) ? TargetForm::folder : TargetForm::script;
  const int rights = S_ISDIR(status.st_mode) ? R_OK | X_OK : R_OK;
  if (access(path.c_str(), rights) != 0) {
    return base::fail(fmt::format("{} cannot be read: {}", options.target, std::strerror(errno)));
  }
  return S_ISDIR(status.st_mode) ? require_files_only(path) : base::Result<>();
}

base::Result<> resolve_target(const ServeOptions& options, Site& site) {
  std::string_view module, callable;
  const bool is_file = access(options.target.c_str(), F_OK) == 0;
  if (is_file || !gateway::split_module_target(options.target, module, callable)) {
    PH_TRY_VOID(resolve_file_or_folder(options, site));
    if (!site.runs_python() && !options.callable.empty()) {
      return base::fail("--callable is for a script, and TARGET is a folder of static files");
    }
    site.callable = options.callable.empty() ? "application" : options.callable;
    return {};
  }
  if (module.ends_with(".py")) {
    return base::fail(
        fmt::format("{}: no such script{}", options.target, advice_on(options.target)));
  }
  if (!options.callable.empty()) {
    return base::fail(
        fmt::format("--callable is for a script; {} names its callable already", options.target));
  }
  site.form = TargetForm::module;
  site.module = module;
  site.callable = callable;
  return {};
}

base::Result<> resolve_python_path(const ServeOptions& options, Site& site) {
  std::vector<std::string> folders = options.python_path;
  if (folders.empty() && site.form == TargetForm::script) {
    folders.push_back(fs::path(site.path).parent_path());
  }
  if (folders.empty() && site.form == TargetForm::module) folders.push_back(".");
  for (const std::string& folder : folders) {
    PH_TRY(absolute, readable_folder("--python-path", folder));
    if (absolute.find(':') != absolute.npos) {
      return base::fail(fmt::format(
          "--python-path {}: a folder with a colon in its name cannot be on Python's path",
          folder));
    }
    site.python_path.push_back(absolute);
  }
  return {};
}

}  // namespace

base::Result<Site> resolve(const ServeOptions& options) {
  Site site;
  PH_TRY_VOID(resolve_target(options, site));
  PH_TRY(mount, url_path("--mount", options.mount));
  site.mount = mount;
  if (!is_printable(options.application_group) || options.application_group.empty()) {
    return base::fail("--application-group needs a name without control characters");
  }
  PH_TRY_VOID(resolve_python_path(options, site));
  if (!options.python_home.empty()) {
    PH_TRY(home, absolute_path("--python-home", options.python_home));
    site.python_home = home;
  }
  for (const std::string& text : options.statics) {
    PH_TRY(mount_point, static_mount(text));
    site.statics.push_back(mount_point);
  }
  return site;
}

}  // namespace pyhost::serve

#include "serve/target.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/nearest.h"
#include "pyhost/gateway/factory.h"
#include "serve/paths.h"
#include "serve/target_look.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

bool is_name(std::string_view text) {
  const auto is_letter = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
  };
  const auto is_inner = [&](unsigned char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, is_inner);
}

bool is_callable_name(std::string_view text) {
  return is_module_name(gateway::is_factory(text) ? gateway::function_of(text) : text);
}

bool is_script_name(std::string_view text) {
  return text.ends_with(".py") || text.ends_with(".wsgi");
}

// A file of the folder with nearly the same name.
std::string nearest_file(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path(), error)) {
    const std::string name = entry.path().filename();
    if (entry.is_directory(error) || is_script_name(name)) names.push_back(name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(base::nearest_name(fs::path(path).filename().string(), views));
}

tl::unexpected<base::Error> no_such_file(const std::string& target, const std::string& path) {
  const std::string nearest = nearest_file(path);
  if (nearest.empty()) {
    return base::fail(fmt::format(
        "{}: there is no such file; a script, package.module:callable or a folder is needed",
        target));
  }
  return base::fail(fmt::format("{}: there is no such file; did you mean {}?", target,
                                (fs::path(target).parent_path() / nearest).string()));
}

// --- A script, and the package that it may be part of --------------------------------------------

// The folder that holds the outermost package of the file's folder; that folder itself when it is
// no package.
fs::path root_of_packages(fs::path folder) {
  while (exists(folder / "__init__.py") && is_name(folder.filename().string())) {
    folder = folder.parent_path();
  }
  return folder;
}

// A file of a package is imported as what it is there: its imports mean that.
bool make_module_of_package(const std::string& file, Site& site) {
  const fs::path path(file);
  const fs::path root = root_of_packages(path.parent_path());
  if (path.extension() != ".py" || root == path.parent_path()) return false;
  std::string name = path.lexically_relative(root).replace_extension();
  std::ranges::replace(name, '/', '.');
  constexpr std::string_view kInit = ".__init__";
  if (name.ends_with(kInit)) name.resize(name.size() - kInit.size());
  if (!is_module_name(name)) return false;
  site.form = TargetForm::module;
  site.module = name;
  site.python_path = {root};
  return true;
}

base::Result<> resolve_script(const ServeOptions& options, const std::string& path, Site& site) {
  if (access(path.c_str(), R_OK) != 0) {
    return base::fail(fmt::format("{} cannot be read: {}", options.target, std::strerror(errno)));
  }
  // Whoever says where modules are found has its reasons.
  if (options.python_path.empty() && make_module_of_package(path, site)) return {};
  site.form = TargetForm::script;
  site.path = path;
  site.python_path = {fs::path(path).parent_path()};
  return {};
}

// --- A module ------------------------------------------------------------------------------------

// Below src/ when that is where its package lies.
void resolve_module(const ServeOptions& options, std::string_view module, Site& site) {
  site.form = TargetForm::module;
  site.module = module;
  const std::string folder =
      options.working_directory.empty() ? absolute_path(".") : options.working_directory;
  const std::string package(module.substr(0, module.find('.')));
  const auto has = [&](const std::string& root) {
    return exists(root + "/" + package) || exists(root + "/" + package + ".py");
  };
  const std::string source = folder + "/src";
  if (!has(folder) && has(source)) site.python_path.push_back(source);
  site.python_path.push_back(folder);
}

// --- A folder ------------------------------------------------------------------------------------

base::Result<> resolve_folder(const ServeOptions& options, const std::string& path, Site& site) {
  PH_TRY_VOID(require_folder("TARGET", path));
  site.form = TargetForm::folder;
  site.path = path;
  if (options.application_type == "static") return {};
  PH_TRY(meaning, meaning_of(sketch_of(path), options.target));
  if (!meaning.is_application) return {};
  site.callable = meaning.callable;
  if (!meaning.script.empty()) {
    site.path.clear();
    return resolve_script(options, path + "/" + meaning.script, site);
  }
  site.form = TargetForm::module;
  site.path.clear();
  site.module = meaning.module;
  site.python_path = {meaning.path.empty() ? path : path + "/" + meaning.path};
  return {};
}

base::Result<> resolve_word(const ServeOptions& options, Site& site) {
  const std::string& target = options.target;
  const std::string path = absolute_path(target);
  const bool is_module = options.application_type == "module";
  if (is_folder(path) && !is_module) return resolve_folder(options, path, site);
  if (exists(path) && !is_module) return resolve_script(options, path, site);

  const NamedCallable named = split_callable(target);
  if (!named.callable.empty() && !is_callable_name(named.callable)) {
    return base::fail(fmt::format(
        "{}: '{}' is no name of a callable; one is written as in {}:application or {}:create_app()",
        target, named.callable, named.place, named.place));
  }
  site.callable = named.callable;
  const std::string file = absolute_path(named.place);
  const bool names_file = named.place.find('/') != std::string::npos ||
                          is_script_name(named.place) || options.application_type == "script";
  if (!is_module && exists(file) && !is_folder(file)) return resolve_script(options, file, site);
  if (!is_module_name(named.place)) return no_such_file(target, file);
  // A module may be called so too, but hardly one whose name ends in ".py".
  if (names_file && !is_module && !named.place.ends_with(".wsgi")) {
    return no_such_file(target, file);
  }
  resolve_module(options, named.place, site);
  return {};
}

}  // namespace

NamedCallable split_callable(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return {std::string(text), ""};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

bool is_module_name(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_name(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

base::Result<> resolve_target(const ServeOptions& options, Site& site) {
  if (options.target.empty()) {
    return base::fail(
        "TARGET is needed: a script, package.module:callable, or the folder of a project or of web "
        "pages");
  }
  PH_TRY_VOID(resolve_word(options, site));
  if (options.callable.empty()) return {};
  if (site.form == TargetForm::folder) {
    return base::fail(fmt::format("{} is for an application, and {} is a folder of files",
                                  options.named("callable"), options.target));
  }
  if (!split_callable(options.target).callable.empty() && !exists(absolute_path(options.target))) {
    return base::fail(fmt::format("{} is not needed: {} names its callable",
                                  options.named("callable"), options.target));
  }
  if (!is_callable_name(options.callable)) {
    return base::fail(fmt::format("{} {}: the name of a callable is needed",
                                  options.named("callable"), options.callable));
  }
  site.callable = options.callable;
  return {};
}

}  // namespace pyhost::serve

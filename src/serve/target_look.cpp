#include "serve/target_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include "serve/usual_names.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

// The files that hold an application in a project, the likeliest first.
constexpr std::array<std::string_view, 8> kUsualFiles{
    "passenger_wsgi.py", "wsgi.py",   "app.py",  "application.py",
    "main.py",           "server.py", "asgi.py", "__init__.py"};

bool is_usual_file(std::string_view name) {
  return name.ends_with(".wsgi") || name == "manage.py" ||
         std::ranges::find(kUsualFiles, name) != kUsualFiles.end();
}

bool is_python(std::string_view file) {
  return file.ends_with(".py") || file.ends_with(".wsgi");
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

// Whether the line gives `name` a value: an assignment, a definition or an import.
bool defines(std::string_view line, std::string_view name) {
  for (const std::string_view keyword : {"def ", "class "}) {
    if (!line.starts_with(keyword)) continue;
    line = without_blanks(line.substr(keyword.size()));
    return line.starts_with(name) && (line.size() == name.size() || !is_word(line[name.size()]));
  }
  if (line.starts_with("from ")) {
    const auto imports = line.find(" import ");
    for (auto at = imports == line.npos ? line.npos : line.find(name, imports + 7); at != line.npos;
         at = line.find(name, at + 1)) {
      const bool ends = at + name.size() == line.size() || !is_word(line[at + name.size()]);
      const bool renamed = without_blanks(line.substr(at + name.size())).starts_with("as ");
      if (ends && !renamed && !is_word(line[at - 1])) return true;
    }
    return false;
  }
  if (!line.starts_with(name)) return false;
  const std::string_view rest = without_blanks(line.substr(name.size()));
  return (rest.starts_with('=') && !rest.starts_with("==")) || rest.starts_with(':');
}

std::string_view first_component(std::string_view path) {
  return path.substr(0, path.find('/'));
}

const std::string* text_or_null(const FolderSketch& sketch, std::string_view file) {
  const auto found = sketch.find(file);
  return found != sketch.end() ? &found->second : nullptr;
}

// --- Django --------------------------------------------------------------------------------------

// "shop.settings", as manage.py names it; "" when it does not.
std::string_view settings_module(std::string_view manage) {
  auto at = manage.find("DJANGO_SETTINGS_MODULE");
  if (at == manage.npos) return {};
  at = manage.find(',', at);
  at = at == manage.npos ? at : manage.find_first_of("'\"", at);
  if (at == manage.npos) return {};
  const auto end = manage.find(manage[at], at + 1);
  return end == manage.npos ? std::string_view() : manage.substr(at + 1, end - at - 1);
}

// The module wsgi that lies beside the settings, or above them.
std::optional<FolderMeaning> django_project(const FolderSketch& sketch) {
  const std::string* manage = text_or_null(sketch, "manage.py");
  if (manage == nullptr) return std::nullopt;
  std::string package(settings_module(*manage));
  while (package.find('.') != package.npos) {
    package.resize(package.rfind('.'));
    std::string file = package + "/wsgi.py";
    std::ranges::replace(file, '.', '/');
    file.replace(file.size() - 3, 3, ".py");
    if (!sketch.contains(file)) continue;
    return FolderMeaning{
        .is_application = true, .module = package + ".wsgi", .callable = "application"};
  }
  return std::nullopt;
}

// --- Scripts and packages ------------------------------------------------------------------------

// Directly below `root`, which is "" or ends in a slash.
std::optional<FolderMeaning> script_in(const FolderSketch& sketch, const std::string& root) {
  std::vector<std::string> files(kUsualFiles.begin(), kUsualFiles.end());
  for (const auto& [file, text] : sketch) {
    if (!file.starts_with(root) || !file.ends_with(".wsgi")) continue;
    const std::string name = file.substr(root.size());
    if (name.find('/') == name.npos) files.insert(files.begin(), name);
  }
  for (const std::string& file : files) {
    const std::string* text = text_or_null(sketch, root + file);
    const std::string_view callable =
        text != nullptr ? callable_defined_in(*text) : std::string_view();
    if (callable.empty()) continue;
    return FolderMeaning{
        .is_application = true, .script = root + file, .callable = std::string(callable)};
  }
  return std::nullopt;
}

// What the package defines, in its likeliest module.
std::optional<FolderMeaning> package_in(const FolderSketch& sketch, const std::string& root,
                                        const std::string& package) {
  const std::string folder = root.empty() ? package : root + "/" + package;
  for (const std::string_view file : kUsualFiles) {
    const std::string* text = text_or_null(sketch, fmt::format("{}/{}", folder, file));
    const std::string_view callable =
        text != nullptr ? callable_defined_in(*text) : std::string_view();
    if (callable.empty()) continue;
    const bool is_package = file == "__init__.py";
    return FolderMeaning{
        .is_application = true,
        .module =
            is_package ? package : fmt::format("{}.{}", package, file.substr(0, file.rfind('.'))),
        .callable = std::string(callable),
        .path = root};
  }
  return std::nullopt;
}

std::vector<FolderMeaning> packages_in(const FolderSketch& sketch, const std::string& root) {
  std::vector<FolderMeaning> found;
  std::string_view last;
  for (const auto& [file, text] : sketch) {
    std::string_view below = file;
    if (!root.empty()) {
      if (!below.starts_with(root + "/")) continue;
      below.remove_prefix(root.size() + 1);
    }
    const std::string_view package = first_component(below);
    if (package.size() == below.size() || package == last || package == "tests") continue;
    last = package;
    if (auto meaning = package_in(sketch, root, std::string(package))) {
      found.push_back(*std::move(meaning));
    }
  }
  return found;
}

std::string name_of(const FolderMeaning& meaning) {
  return fmt::format("{}:{}", meaning.module, meaning.callable);
}

base::Result<std::optional<FolderMeaning>> the_package(const FolderSketch& sketch,
                                                       std::string_view name) {
  auto found = packages_in(sketch, "");
  std::ranges::move(packages_in(sketch, "src"), std::back_inserter(found));
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return std::move(found.front());
  std::string names;
  for (const FolderMeaning& each : found) {
    names += fmt::format("{}{}", names.empty() ? "" : " or ", name_of(each));
  }
  return base::fail(
      fmt::format("{} has several applications; which one is to be served: {}? (with "
                  "--python-path {})",
                  name, names, name));
}

}  // namespace

std::string_view callable_defined_in(std::string_view text) {
  for (const std::string_view callable : kUsualCallables) {
    const std::string_view name = callable.substr(0, callable.find('('));
    for (std::size_t start = 0; start < text.size();) {
      const auto end = std::min(text.find('\n', start), text.size());
      if (defines(text.substr(start, end - start), name)) return callable;
      start = end + 1;
    }
  }
  return {};
}

FolderSketch sketch_of(const std::string& folder) {
  constexpr std::size_t kNamesMax = 10'000;
  constexpr int kDepth = 2;
  constexpr std::size_t kTextMax = 65'536;
  FolderSketch sketch;
  std::error_code error;
  auto entries = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator() && sketch.size() < kNamesMax;
       entries.increment(error)) {
    const std::string name = entries->path().filename();
    std::error_code ignored;
    if (name.starts_with('.') || entries.depth() >= kDepth) entries.disable_recursion_pending();
    if (name.starts_with('.') || !entries->is_regular_file(ignored)) continue;
    std::string text;
    if (is_usual_file(name)) {
      text.resize(kTextMax);
      std::ifstream file(entries->path(), std::ios::binary);
      file.read(text.data(), static_cast<std::streamsize>(text.size()));
      text.resize(static_cast<std::size_t>(file.gcount()));
    }
    sketch.emplace(entries->path().lexically_relative(folder).string(), std::move(text));
  }
  return sketch;
}

base::Result<FolderMeaning> meaning_of(const FolderSketch& sketch, std::string_view name) {
  if (auto django = django_project(sketch)) return *std::move(django);
  if (auto script = script_in(sketch, "")) return *std::move(script);
  if (!sketch.contains("src/__init__.py")) {
    if (auto script = script_in(sketch, "src/")) return *std::move(script);
  }
  PH_TRY(package, the_package(sketch, name));
  if (package) return *std::move(package);
  const bool has_python =
      std::ranges::any_of(sketch, [](const auto& entry) { return is_python(entry.first); });
  const bool has_index = sketch.contains("index.html") || sketch.contains("index.htm");
  if (has_index || (!has_python && !sketch.empty())) return FolderMeaning{};
  if (sketch.empty()) {
    return base::fail(
        fmt::format("{} has no files; name a script, package.module:callable or a folder that has "
                    "an application or web pages",
                    name));
  }
  return base::fail(
      fmt::format("{} has Python files, but none of wsgi.py, app.py and main.py, there or in a "
                  "package, defines "
                  "application, app, create_app() or make_app(); name the application, as in "
                  "package.module:callable with --python-path {}, or serve files with "
                  "--application-type static",
                  name, name));
}

}  // namespace pyhost::serve

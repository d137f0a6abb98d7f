#include "plugin/python_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pyhost::plugin {
namespace {

using Plugins = std::vector<PluginFile>;

// "plugins are there for Python 3.13, 3.11"
std::string what_is_there(const Plugins& plugins) {
  std::string versions;
  for (const PluginFile& plugin : plugins) {
    versions += versions.empty() ? "" : ", ";
    versions += plugin.python_version;
  }
  return versions.empty() ? "there is no plugin" : "plugins are there for Python " + versions;
}

// Mostly there is none for the version of the environment.
std::string refusal_of_home(const Plugins& plugins, const std::string& home, base::Error&& first) {
  const auto environment = find_environment(home);
  const bool has_plugin =
      environment && std::ranges::find(plugins, environment->version,
                                       &PluginFile::python_version) != plugins.end();
  if (!environment || has_plugin) return std::move(first).sentence;
  const std::string anew =
      environment->is_virtualenv && !plugins.empty()
          ? fmt::format(", or make it anew with python{} -m venv", plugins.front().python_version)
          : "";
  return fmt::format("{} is {} of Python {}, but {}: build one with `pyhost build-plugin {}`{}",
                     environment->root,
                     environment->is_virtualenv ? "a virtualenv" : "an installation",
                     environment->version, what_is_there(plugins), environment->program(), anew);
}

// One that `pyhost build-plugin` has built stays behind when a newer module is installed.
base::Result<PythonChoice> use(const PluginFile& plugin, PythonHome home) {
  if (is_of_this_build(plugin)) return PythonChoice{plugin, std::move(home)};
  const std::string program =
      home.program.empty() ? "/path/to/python" + plugin.python_version : home.program;
  return base::fail(fmt::format(
      "{} is of another build than mod_pyhost: install both of one version, or build it anew with "
      "`pyhost build-plugin {}`",
      plugin.path, program));
}

}  // namespace

base::Result<PythonChoice> choose_python(const Plugins& plugins, const PythonWish& wish) {
  std::optional<base::Error> refused;
  for (const PluginFile& plugin : plugins) {
    if (!wish.version.empty() && plugin.python_version != wish.version) continue;
    if (wish.home.empty()) return use(plugin, {});
    auto home = inspect_python_home(wish.home, plugin.python_version);
    if (home) return use(plugin, *std::move(home));
    if (!refused) refused = std::move(home).error();
  }
  if (refused && !wish.version.empty()) return tl::unexpected(*std::move(refused));
  if (refused) return base::fail(refusal_of_home(plugins, wish.home, *std::move(refused)));
  return base::fail(fmt::format("{}: {}; `pyhost build-plugin /path/to/python{}` builds one",
                                wish.version, what_is_there(plugins), wish.version));
}

}  // namespace pyhost::plugin

// Finds and loads engine plugins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/plugin.h"

namespace pyhost::plugin {

struct PluginFile {
  std::string path;
  std::string python_version;  // "3.11", from the file's name

  bool operator==(const PluginFile&) const = default;
};

// The folder that holds the shared object or program `function` belongs to: plugins lie beside it.
std::string folder_of_this_object();

// Whether interpreters of that version can have locks of their own (PEP 684).
bool has_own_locks(const PluginFile& file);

// Whether a plugin is one for this build, as its file tells that is not loaded: a process that only
// checks a configuration never meets Python. Of a file that cannot be read load_plugin() says so.
bool is_of_this_build(const PluginFile& file);

// The plugins pyhost-cpython-X.Y.so in a folder, that of `first` before all, then the newest Python
// first. An unreadable folder has none.
std::vector<PluginFile> find_plugins(const std::string& folder, std::string_view first);

// The same with the Python first that this was built with, which is the system's own when it comes
// in a package: another plugin that is installed beside its own changes nobody's Python.
std::vector<PluginFile> find_plugins(const std::string& folder);

// Loads a plugin for the rest of the process's life. Python's symbols become global, because
// extension modules expect them so. Makes no thread. Fails when the file cannot be loaded or is of
// another build.
base::Result<const gateway::EnginePlugin*> load_plugin(const std::string& path);

}  // namespace pyhost::plugin

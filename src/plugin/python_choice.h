// Which Python runs an application: a plugin, and an environment for it.
#pragma once

#include <string>
#include <vector>

#include "plugin/plugin_loader.h"
#include "plugin/python_home.h"
#include "pyhost/base/result.h"

namespace pyhost::plugin {

// What a configuration says about it.
struct PythonWish {
  std::string home;     // a virtualenv or an installation; "" for that of the plugin
  std::string version;  // "3.14"; "" for any

  bool empty() const noexcept { return home.empty() && version.empty(); }
  bool operator==(const PythonWish&) const = default;
};

struct PythonChoice {
  PluginFile plugin;
  PythonHome home;
};

// The first of the plugins that fits. Fails with a sentence about the home, or one that begins with
// the version, when there is none, and says how to get a plugin that is missing; and with one about
// the plugin when that is of another build. Looks at the home with the rights of this process.
base::Result<PythonChoice> choose_python(const std::vector<PluginFile>& plugins,
                                         const PythonWish& wish);

}  // namespace pyhost::plugin

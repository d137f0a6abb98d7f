// What `pyhost serve` was asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "settings/global_name.h"

namespace pyhost::serve {

enum class TargetForm {
  script,  // a Python file
  module,  // package.module:callable
  folder,  // static files
};

// URLs below `url` come from the files of `folder`.
struct StaticMount {
  std::string url;
  std::string folder;
};

// The command line as typed; resolve() makes paths absolute and checks them.
struct ServeOptions {
  std::string target;
  std::string callable;  // "" when not given
  std::string host = "127.0.0.1";
  int port = 8000;  // 0: any free one
  std::string mount = "/";
  std::string application_group = settings::kGlobalName;
  int threads = 10;
  std::vector<std::string> python_path;
  std::string python_home;
  std::vector<std::string> statics;  // URL=DIR
  std::string server_root;           // "": one that lasts as long as the server
  std::string log_level;             // "": httpd's warnings and the module's information
  std::string httpd_program;
  std::string modules_dir;
  int graceful_seconds = 8;  // below the ten that containers have
  bool reload = false;
  bool print_config = false;
};

// The target and the folders, checked: they exist, can be read and can be written into a
// configuration. All paths are absolute.
struct Site {
  TargetForm form = TargetForm::script;
  std::string path;      // of the script or folder
  std::string module;    // of a module target
  std::string callable;  // of a script or module
  std::string mount;     // "/", or without a slash at the end
  std::vector<std::string> python_path;
  std::string python_home;
  std::vector<StaticMount> statics;

  bool runs_python() const noexcept { return form != TargetForm::folder; }
};

// Fails with a sentence that names the option concerned. Without --python-path the script's own
// folder is searched for modules, or the current one for a module target.
base::Result<Site> resolve(const ServeOptions& options);

}  // namespace pyhost::serve

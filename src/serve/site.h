// What is to be served: the target and the folders, found and checked.
#pragma once

#include <string>
#include <vector>

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

enum class TargetForm {
  script,  // a Python file
  module,  // package.module:callable
  folder,  // static files
};

// URLs below `url` come from the files of a folder; or the URL itself from one file.
struct StaticMount {
  std::string url;
  std::string path;
  bool is_file = false;
};

// All paths are absolute, exist, can be read and can be written into a configuration.
struct Site {
  TargetForm form = TargetForm::script;
  std::string path;    // of the script or folder
  std::string module;  // of a module target
  std::string
      callable;  // of a script or module; "" when it is still to be found by its usual names
  bool has_event_loop = false;  // it is an ASGI application
  std::string mount;            // "/", or without a slash at the end
  std::vector<std::string> python_path;
  std::string python_home;
  std::string python_home_source;  // what names it: "--python-home", "$VIRTUAL_ENV", "/srv/.venv"
  std::vector<StaticMount> statics;

  bool runs_python() const noexcept { return form != TargetForm::folder; }
  // As people know it: "shop.wsgi:application", "/srv/app.py:create_app()", "/srv/www".
  std::string name() const;
};

// Fails with a sentence that names the option concerned, or asks what is meant.
base::Result<Site> resolve(const ServeOptions& options);

}  // namespace pyhost::serve

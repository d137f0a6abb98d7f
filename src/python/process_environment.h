// The environment that interpreters begin with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pyhost/base/result.h"
#include "python/attached.h"

namespace pyhost::python {

// The process's environment at one moment. A new interpreter's os.environ has what the environment
// is by then, also what applications in other interpreters have put there: each Django project sets
// DJANGO_SETTINGS_MODULE unless it is set.
class ProcessEnvironment {
 public:
  // As it is now.
  static ProcessEnvironment copy();

  // Makes os.environ of the interpreter have this and nothing else, until its applications change
  // it. The process's environment stays as it is.
  base::Result<> show_in(Attached& py) const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

}  // namespace pyhost::python

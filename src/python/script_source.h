// Runs the code of a script or module once, whatever comes of it.
#pragma once

#include <string>

#include "pyhost/base/messages.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/loading_rules.h"
#include "python/ref.h"

namespace pyhost::python {

// What an import has come to: the module, or why there is none.
struct Import {
  Ref module;
  Ref application;  // what the target's factory has made of it, if it names one
  base::Message message = base::Message::none;
  std::string summary;  // "ValueError: text"
  std::string details;  // traceback
  std::string advice;   // see PythonError
  bool refuses_subinterpreters = false;
};

// "script /srv/app.wsgi" or "module package.site".
std::string phrase_of(const gateway::Target& target);

// A file is read, if the rules admit its owner, compiled and run in a new module; a module is
// imported as `import` does. A factory that the target names is called then, and its failure is
// that of the import. Meanwhile the calling thread is the main thread, to itself.
Import import_here(Attached& py, const gateway::Target& target, const LoadingRules& rules);

// Calls the target's factory for a module that is there: an import of the same module, with what
// was made of it; or one that has failed. Without an application and a failure there is no such
// function.
Import apply_factory(Attached& py, Ref module, const gateway::Target& target);

// The import that the pending exception has ended.
Import failed_import(Attached& py, base::Message message);

}  // namespace pyhost::python

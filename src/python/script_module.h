// The module of a script file, made as importlib makes that of a module's file.
#pragma once

#include <string>
#include <string_view>

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// A name of its own for each path, which nobody imports by accident.
std::string script_module_name(std::string path, bool case_sensitive);

// Honours PEP 263. Null with an exception pending.
Ref compile_script(std::string_view source, PyObject* path);

// Runs the code in a new module with __spec__ and __loader__, so that whoever asks the module, or
// importlib by its name, learns where it is from. The result is what sys.modules has for the name
// then: a module may put something else in its place. Null with an exception pending, and without
// an entry in sys.modules.
Ref run_script(Attached& py, const std::string& name, PyObject* path, PyObject* code);

}  // namespace pyhost::python

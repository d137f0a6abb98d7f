#include "python/python_config.h"

#include <fmt/format.h>

#include <string>

#include "pyhost/base/scope_exit.h"
#include "python/python.h"

namespace pyhost::python {
namespace {

base::Result<> check(PyStatus status) {
  if (!PyStatus_Exception(status)) return {};
  return base::fail(fmt::format("Python cannot start: {}",
                                status.err_msg != nullptr ? status.err_msg : "it ended by itself"));
}

base::Result<> set_text(PyConfig& config, wchar_t** member, const std::string& text) {
  return text.empty() ? base::Result<>()
                      : check(PyConfig_SetBytesString(&config, member, text.c_str()));
}

base::Result<> append(PyWideStringList& list, const std::string& text) {
  wchar_t* wide = Py_DecodeLocale(text.c_str(), nullptr);
  if (wide == nullptr) return base::fail(fmt::format("'{}' cannot be decoded", text));
  const base::ScopeExit free_text([wide] { PyMem_RawFree(wide); });
  return check(PyWideStringList_Append(&list, wide));
}

// UTF-8 whatever the locale is, and the process's locale is left as httpd has it.
base::Result<> preinitialize() {
  PyPreConfig config;
  PyPreConfig_InitIsolatedConfig(&config);
  config.utf8_mode = 1;
  return check(Py_PreInitialize(&config));
}

}  // namespace

base::Result<> initialize_python(const gateway::EngineSettings& settings) {
  PH_TRY_VOID(preinitialize());
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  const base::ScopeExit clear([&] { PyConfig_Clear(&config); });

  // The program's name finds the standard library and a virtualenv's pyvenv.cfg; `home` would turn
  // the latter off, so it is for base installations only.
  const std::string program =
      settings.python_program.empty() ? PYHOST_PYTHON_PROGRAM : settings.python_program;
  PH_TRY_VOID(set_text(config, &config.program_name, program));
  PH_TRY_VOID(set_text(config, &config.home, settings.python_home));
  PH_TRY_VOID(append(config.argv, "mod_wsgi"));
  for (const std::string& warning : settings.warnings) {
    PH_TRY_VOID(append(config.warnoptions, warning));
  }
  config.optimization_level = settings.optimize;
  config.write_bytecode = settings.write_bytecode ? 1 : 0;
  if (settings.hash_seed) {
    config.use_hash_seed = 1;
    config.hash_seed = *settings.hash_seed;
  }
  return check(Py_InitializeFromConfig(&config));
}

}  // namespace pyhost::python

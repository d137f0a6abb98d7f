#include "python/python_config.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "base/scope_exit.h"
#include "plugin/python_home.h"
#include "python/ref.h"

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

namespace fs = std::filesystem;

// The virtualenv or installation that Python is to run in; "" for the plugin's own.
std::string environment_root(const gateway::EngineSettings& settings) {
  if (settings.python_program.empty()) return settings.python_home;
  return fs::path(settings.python_program).parent_path().parent_path().string();
}

// Whoever has chosen it may have looked at it with other rights, or long ago.
base::Result<> check_environment(const std::string& root) {
  if (root.empty()) return {};
  const auto version = fmt::format("{}.{}", PY_MAJOR_VERSION, PY_MINOR_VERSION);
  const auto home = plugin::inspect_python_home(root, version);
  if (home) return {};
  return base::fail("Python cannot start: " + home.error().sentence);
}

// Python does not fail for an environment that it does not find: it takes another one.
base::Result<> check_prefix(const std::string& root) {
  if (root.empty()) return {};
  PyObject* const prefix = PySys_GetObject("prefix");
  const Ref path = Ref::steal(
      prefix != nullptr && PyUnicode_Check(prefix) ? PyUnicode_EncodeFSDefault(prefix) : nullptr);
  if (!path) PyErr_Clear();
  const std::string taken = path ? PyBytes_AS_STRING(path.get()) : "?";
  std::error_code error;
  if (fs::equivalent(taken, root, error)) return {};
  return base::fail(fmt::format("Python cannot start: it has taken {} instead of {}", taken, root));
}

}  // namespace

base::Result<> initialize_python(const gateway::EngineSettings& settings) {
  const std::string root = environment_root(settings);
  PH_TRY_VOID(check_environment(root));
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
#ifdef Py_GIL_DISABLED
  config.enable_gil = 1;  // what is kept for a request relies on the lock
#endif
  config.optimization_level = settings.optimize;
  config.write_bytecode = settings.write_bytecode ? 1 : 0;
  if (settings.hash_seed) {
    config.use_hash_seed = 1;
    config.hash_seed = *settings.hash_seed;
  }
  PH_TRY_VOID(check(Py_InitializeFromConfig(&config)));
  return check_prefix(root);
}

}  // namespace pyhost::python

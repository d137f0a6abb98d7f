#include "pyapi/module.h"

#include "pyapi/annotations.h"
#include "pyapi/events.h"
#include "python/error.h"
#include "python/ref.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::Ref;

PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          kModuleName,
                          "What an application can learn about the server it runs in.",
                          0,
                          nullptr,
                          slots,
                          nullptr,
                          nullptr,
                          nullptr};

Ref make_spec() {
  const Ref machinery = Ref::steal(PyImport_ImportModule("importlib.machinery"));
  if (!machinery) return {};
  return Ref::steal(PyObject_CallMethod(machinery.get(), "ModuleSpec", "sO", kModuleName, Py_None));
}

// Where the submodules are of the distribution of this name, mod_wsgi.server and others, when it is
// on sys.path; None when it is not. Null with an exception pending.
Ref find_submodules() {
  const Ref util = Ref::steal(PyImport_ImportModule("importlib.util"));
  const Ref found =
      Ref::steal(util ? PyObject_CallMethod(util.get(), "find_spec", "s", kModuleName) : nullptr);
  if (!found || found.get() == Py_None) return found.clone();
  return Ref::steal(PyObject_GetAttrString(found.get(), "submodule_search_locations"));
}

// The module is a package to whoever imports from that.
bool add_submodules(Attached& py, PyObject* module, PyObject* spec) {
  const Ref folders = find_submodules();
  if (!folders) {
    const std::string why = python::PythonError::take(py).traceback(py);
    const python::DetachScope detached(py);
    py.interpreter().server_log().log(base::LogLevel::error, base::Message::import_hook_failed,
                                      "the package mod_wsgi cannot be looked for\n" + why);
    return true;
  }
  return folders.get() == Py_None ||
         (PyObject_SetAttrString(spec, "submodule_search_locations", folders.get()) == 0 &&
          PyObject_SetAttrString(module, "__path__", folders.get()) == 0);
}

bool describe_origin(Attached& py, PyObject* module, PyObject* spec) {
  if (!add_submodules(py, module, spec)) return false;
  const Ref package = Ref::steal(PyObject_GetAttrString(spec, "parent"));
  return package && PyObject_SetAttrString(module, "__package__", package.get()) == 0 &&
         PyObject_SetAttrString(module, "__spec__", spec) == 0;
}

// The support module has made them.
bool add_answers(PyObject* module, PyObject* support) {
  for (const char* name : {"User", "Deny", "Redirect"}) {
    const Ref type = Ref::steal(PyObject_GetAttrString(support, name));
    if (!type || PyObject_SetAttrString(module, name, type.get()) != 0) return false;
  }
  return true;
}

bool fill(PyObject* module, const std::string& application_group,
          const gateway::EngineSettings& settings, const ModuleParts& parts) {
  const auto& api = gateway::kModWsgiApi;
  const auto add = [module](const char* name, Ref value) {
    return value && PyObject_SetAttrString(module, name, value.get()) == 0;
  };
  const auto text = [](const std::string& value) {
    return Ref::steal(PyUnicode_DecodeLatin1(value.data(), Py_ssize_t(value.size()), nullptr));
  };
  return add("version", Ref::steal(Py_BuildValue("(iii)", api[0], api[1], api[2]))) &&
         add("process_group", text(settings.process_group)) &&
         add("application_group", text(application_group)) &&
         add("maximum_processes", Ref::steal(PyLong_FromLong(settings.processes_max))) &&
         add("threads_per_process", Ref::steal(PyLong_FromLong(settings.threads_max))) &&
         add("FileWrapper", Ref::share(parts.file_wrapper_type)) &&
         add("RequestTimeout", Ref::share(parts.request_timeout));
}

}  // namespace

base::Result<> install_module(Attached& py, const gateway::EngineSettings& settings,
                              const ModuleParts& parts) {
  const Ref spec = make_spec();
  const Ref module = Ref::steal(spec ? PyModule_FromDefAndSpec(&definition, spec.get()) : nullptr);
  if (module && PyModule_ExecDef(module.get(), &definition) == 0 &&
      describe_origin(py, module.get(), spec.get()) &&
      fill(module.get(), py.interpreter().name(), settings, parts) &&
      add_answers(module.get(), py.interpreter().support()) &&
      add_annotations(py, module.get(), parts.streams) && add_events(py, module.get()) &&
      PyDict_SetItemString(PyImport_GetModuleDict(), kModuleName, module.get()) == 0) {
    return {};
  }
  return base::fail(python::PythonError::take(py).summary(py));
}

}  // namespace pyhost::pyapi

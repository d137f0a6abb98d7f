#include "pyapi/module.h"

#include "pyapi/events.h"
#include "python/error.h"
#include "python/ref.h"

namespace pyhost::pyapi {
namespace {

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

bool fill(PyObject* module, const std::string& application_group,
          const gateway::EngineSettings& settings, PyObject* file_wrapper_type,
          PyObject* request_timeout) {
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
         add("FileWrapper", Ref::share(file_wrapper_type)) &&
         add("RequestTimeout", Ref::share(request_timeout));
}

}  // namespace

base::Result<> install_module(python::Attached& py, const gateway::EngineSettings& settings,
                              PyObject* file_wrapper_type, PyObject* request_timeout) {
  const Ref spec = make_spec();
  const Ref module = Ref::steal(spec ? PyModule_FromDefAndSpec(&definition, spec.get()) : nullptr);
  if (module && PyModule_ExecDef(module.get(), &definition) == 0 &&
      fill(module.get(), py.interpreter().name(), settings, file_wrapper_type, request_timeout) &&
      add_events(py, module.get()) &&
      PyDict_SetItemString(PyImport_GetModuleDict(), kModuleName, module.get()) == 0) {
    return {};
  }
  return base::fail(python::PythonError::take(py).summary(py));
}

}  // namespace pyhost::pyapi

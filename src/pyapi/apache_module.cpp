#include "pyapi/apache_module.h"

#include "python/error.h"
#include "python/ref.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::PythonError;
using python::Ref;

constexpr char kName[] = "apache";

// A module that the application's environment has; null, and no exception, when there is none.
Ref existing(Attached& py) {
  Ref module = Ref::steal(PyImport_ImportModule(kName));
  if (module) return module;
  const PythonError error = PythonError::take(py);
  if (error.is(PyExc_ModuleNotFoundError)) return {};
  const std::string why = error.traceback(py);
  const python::DetachScope detached(py);
  py.interpreter().server_log().log(base::LogLevel::error, base::Message::import_hook_failed,
                                    "the module apache cannot be imported\n" + why);
  return {};
}

Ref make(Attached& py, const gateway::EngineSettings& settings) {
  Ref module = settings.process_group.empty() ? existing(py) : Ref();
  if (!module) module = Ref::steal(PyModule_New(kName));
  return module;
}

bool fill_in(PyObject* module, const gateway::ServerFacts& server) {
  const auto add = [module](const char* name, Ref value) {
    return value && PyObject_SetAttrString(module, name, value.get()) == 0;
  };
  const auto text = [](const std::string& value) {
    return Ref::steal(PyUnicode_DecodeLatin1(value.data(), Py_ssize_t(value.size()), nullptr));
  };
  const auto& version = server.built_for;
  return add("version", Ref::steal(Py_BuildValue("(iii)", version[0], version[1], version[2]))) &&
         add("description", text(server.description)) &&
         add("build_date", text(server.build_date)) && add("mpm_name", text(server.mpm)) &&
         add("maximum_processes", Ref::steal(PyLong_FromLong(server.processes_max))) &&
         add("threads_per_process", Ref::steal(PyLong_FromLong(server.threads_max)));
}

}  // namespace

base::Result<> install_apache_module(Attached& py, const gateway::EngineSettings& settings) {
  const Ref module = make(py, settings);
  if (module && fill_in(module.get(), settings.server) &&
      PyDict_SetItemString(PyImport_GetModuleDict(), kName, module.get()) == 0) {
    return {};
  }
  return base::fail(PythonError::take(py).summary(py));
}

}  // namespace pyhost::pyapi

#include "pyapi/module.h"

#include "pyapi/annotations.h"
#include "pyapi/events.h"
#include "pyapi/log_handler.h"
#include "pyapi/metric_types.h"
#include "pyapi/metrics.h"
#include "pyapi/prometheus_value.h"
#include "pyapi/request_data.h"
#include "pyapi/request_log.h"
#include "python/error.h"
#include "python/native_type.h"
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

// What is made only for those who ask for it.
PyObject* get_late_attribute(PyObject* module, PyObject* name) {
  return python::py_entry([&]() -> PyObject* {
    ModuleState& state = state_of(module);
    python::CalledByPython py(state.interpreter);
    Ref value;
    if (PyUnicode_CompareWithASCIIString(name, "active_requests") == 0) {
      value = state.active_requests.dictionary(py);
    } else if (PyUnicode_CompareWithASCIIString(name, "LogHandler") == 0) {
      value = make_log_handler(py, state.stream.get(), state.logging);
    } else {
      PyErr_Format(PyExc_AttributeError, "module 'mod_wsgi' has no attribute %R", name);
    }
    if (!value || PyObject_SetAttr(module, name, value.get()) != 0) return nullptr;
    return value.release();
  });
}

PyMethodDef module_methods[] = {{"__getattr__", get_late_attribute, METH_O, nullptr},
                                {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          kModuleName,
                          "What an application can learn about the server it runs in.",
                          sizeof(ModuleState*),
                          module_methods,
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

// Workers that serve requests tell applications of signals; httpd's children have httpd's own.
SignalEvents signal_events_of(const gateway::EngineSettings& settings) {
  const bool published = !settings.process_group.empty() && settings.threads_max != 0;
  return published ? SignalEvents::published : SignalEvents::none;
}

// Whoever measures with the package is to be served all the same.
void keep_prometheus_values(Attached& py, PyObject* module) {
  if (install_prometheus_values(py, module)) return;
  const std::string why = python::PythonError::take(py).traceback(py);
  const python::DetachScope detached(py);
  py.interpreter().server_log().log(base::LogLevel::error,
                                    base::Message::prometheus_client_unsupported,
                                    "WSGIMetrics is of no effect here\n" + why);
}

void set_state(PyObject* module, ModuleState* state) noexcept {
  *static_cast<ModuleState**>(PyModule_GetState(module)) = state;
}

bool publish_module(Attached& py, PyObject* module, const gateway::EngineSettings& settings,
                    const ModuleParts& parts) {
  return fill(module, py.interpreter().name(), settings, parts) &&
         add_answers(module, py.interpreter().support()) &&
         add_annotations(py, module, parts.streams) &&
         add_request_data(py, module, parts.streams) &&
         add_request_log(py, module, parts.streams) && add_metrics(py, module) &&
         add_metric_types(py, module) && add_events(py, module, signal_events_of(settings)) &&
         PyDict_SetItemString(PyImport_GetModuleDict(), kModuleName, module) == 0;
}

}  // namespace

ModuleState& state_of(PyObject* module) noexcept {
  return **static_cast<ModuleState**>(PyModule_GetState(module));
}

base::Result<std::unique_ptr<ModuleState>> install_module(Attached& py,
                                                          const gateway::EngineSettings& settings,
                                                          const ModuleParts& parts) {
  const Place place = settings.process_group.empty() ? Place::httpd : Place::worker;
  const Ref spec = make_spec();
  const Ref module = Ref::steal(spec ? PyModule_FromDefAndSpec(&definition, spec.get()) : nullptr);
  if (module && PyModule_ExecDef(module.get(), &definition) == 0 &&
      describe_origin(py, module.get(), spec.get())) {
    auto state = std::make_unique<ModuleState>(
        py.interpreter(), parts.recorder, parts.measurements, place,
        static_cast<unsigned>(settings.threads_max), settings.server_view_or_null,
        parts.streams.make_raw_ambient(py, "<mod_wsgi>"), module.get(), settings.logging);
    set_state(module.get(), state.get());
    if (state->stream && publish_module(py, module.get(), settings, parts)) {
      if (settings.metrics_of_prometheus_client) keep_prometheus_values(py, module.get());
      return state;
    }
  }
  return base::fail(python::PythonError::take(py).summary(py));
}

}  // namespace pyhost::pyapi

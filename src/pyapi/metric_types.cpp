#include "pyapi/metric_types.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "appmetrics/names.h"
#include "base/clock.h"
#include "pyapi/metric.h"
#include "pyapi/metric_arguments.h"
#include "pyapi/metric_tools.h"
#include "pyapi/module_state.h"

namespace pyhost::pyapi {
namespace {

using appmetrics::FamilyKey;
using appmetrics::Kind;
using python::Attached;
using python::Ref;

// --- Methods that write ---

// The one number that such a method takes, by position or as `name`; `absent` when it may be left
// out. Nothing with an exception pending.
std::optional<double> number_of(const char* method, const char* name, PyObject* const* arguments,
                                Py_ssize_t count, PyObject* names,
                                std::optional<double> absent = std::nullopt) {
  const Py_ssize_t given = count + (names == nullptr ? 0 : PyTuple_GET_SIZE(names));
  if (given == 0 && absent) return absent;
  const bool is_known = given == 1 && (count == 1 || PyUnicode_CompareWithASCIIString(
                                                         PyTuple_GET_ITEM(names, 0), name) == 0);
  if (!is_known) {
    PyErr_Format(PyExc_TypeError, "%s() takes a number, %s", method, name);
    return std::nullopt;
  }
  const double value = PyFloat_AsDouble(arguments[0]);
  if (value == -1 && PyErr_Occurred() != nullptr) return std::nullopt;
  return value;
}

PyObject* counter_inc(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* names) {
  return python::py_entry([&]() -> PyObject* {
    const auto* cells = cells_or_null(self);
    const auto more =
        cells == nullptr ? std::nullopt : number_of("inc", "amount", arguments, count, names, 1);
    if (!more) return nullptr;
    if (!(*more >= 0)) {
      PyErr_SetString(PyExc_ValueError, "a counter cannot become less: inc() takes 0 or more");
      return nullptr;
    }
    cells->add(*more);
    Py_RETURN_NONE;
  });
}

PyObject* change_gauge(PyObject* self, const char* method, double sign, PyObject* const* arguments,
                       Py_ssize_t count, PyObject* names) {
  return python::py_entry([&]() -> PyObject* {
    const auto* cells = cells_or_null(self);
    const auto more =
        cells == nullptr ? std::nullopt : number_of(method, "amount", arguments, count, names, 1);
    if (!more) return nullptr;
    cells->add_gauge(sign * *more);
    Py_RETURN_NONE;
  });
}

PyObject* gauge_inc(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  return change_gauge(self, "inc", 1, arguments, count, names);
}

PyObject* gauge_dec(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  return change_gauge(self, "dec", -1, arguments, count, names);
}

PyObject* gauge_set(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
  return python::py_entry([&]() -> PyObject* {
    const auto* cells = cells_or_null(self);
    const auto value =
        cells == nullptr ? std::nullopt : number_of("set", "value", arguments, count, names);
    if (!value) return nullptr;
    cells->set_gauge(*value);
    Py_RETURN_NONE;
  });
}

PyObject* gauge_set_to_current_time(PyObject* self, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    constexpr double kMicroseconds = 1e6;
    const auto* cells = cells_or_null(self);
    if (cells == nullptr) return nullptr;
    cells->set_gauge(static_cast<double>(base::now_us()) / kMicroseconds);
    Py_RETURN_NONE;
  });
}

PyObject* histogram_observe(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                            PyObject* names) {
  return python::py_entry([&]() -> PyObject* {
    const auto* cells = cells_or_null(self);
    const auto value =
        cells == nullptr ? std::nullopt : number_of("observe", "amount", arguments, count, names);
    if (!value) return nullptr;
    cells->observe(*value, python::value_of<Metric>(self).family->key.bounds);
    Py_RETURN_NONE;
  });
}

// --- Methods that return what `with` takes ---

PyObject* tool_for(PyObject* self, const char* tool, const char* method, PyObject* second_or_null) {
  return python::py_entry([&]() -> PyObject* {
    if (cells_or_null(self) == nullptr) return nullptr;
    const Ref bound = Ref::steal(PyObject_GetAttrString(self, method));
    if (!bound) return nullptr;
    return make_metric_tool(PyType_GetModule(Py_TYPE(self)), tool, bound.get(), second_or_null)
        .release();
  });
}

PyObject* histogram_time(PyObject* self, PyObject*) {
  return tool_for(self, "Timer", "observe", nullptr);
}

PyObject* gauge_time(PyObject* self, PyObject*) {
  return tool_for(self, "Timer", "set", nullptr);
}

PyObject* gauge_track_inprogress(PyObject* self, PyObject*) {
  const Ref end = Ref::steal(PyObject_GetAttrString(self, "dec"));
  return end ? tool_for(self, "InProgress", "inc", end.get()) : nullptr;
}

PyObject* counter_count_exceptions(PyObject* self, PyObject* arguments) {
  PyObject* exception = PyExc_Exception;
  if (!PyArg_UnpackTuple(arguments, "count_exceptions", 0, 1, &exception)) return nullptr;
  return tool_for(self, "ExceptionCounter", "inc", exception);
}

// --- Types ---

constexpr char kLabelsDoc[] =
    "labels(*values, **values_by_name)\n--\n\nThe metric for these values of its labels.";

PyMethodDef counter_methods[] = {
    {"labels", python::method(metric_labels), METH_VARARGS | METH_KEYWORDS, kLabelsDoc},
    {"inc", python::method(counter_inc), METH_FASTCALL | METH_KEYWORDS,
     "inc(amount=1)\n--\n\nAdds a number that is not negative."},
    {"count_exceptions", counter_count_exceptions, METH_VARARGS,
     "Counts exceptions of a class, Exception if none is given, that leave a `with` block, or a "
     "function that it decorates."},
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef gauge_methods[] = {
    {"labels", python::method(metric_labels), METH_VARARGS | METH_KEYWORDS, kLabelsDoc},
    {"inc", python::method(gauge_inc), METH_FASTCALL | METH_KEYWORDS,
     "inc(amount=1)\n--\n\nAdds a number."},
    {"dec", python::method(gauge_dec), METH_FASTCALL | METH_KEYWORDS,
     "dec(amount=1)\n--\n\nSubtracts a number."},
    {"set", python::method(gauge_set), METH_FASTCALL | METH_KEYWORDS,
     "set(value)\n--\n\nMakes it that number."},
    {"set_to_current_time", gauge_set_to_current_time, METH_NOARGS,
     "set_to_current_time()\n--\n\nMakes it the seconds since the epoch."},
    {"track_inprogress", gauge_track_inprogress, METH_NOARGS,
     "track_inprogress()\n--\n\n"
     "Adds one during a `with` block, or a function that it decorates."},
    {"time", gauge_time, METH_NOARGS,
     "time()\n--\n\nMakes it the seconds that a `with` block, or a function that it decorates, "
     "took last."},
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef histogram_methods[] = {
    {"labels", python::method(metric_labels), METH_VARARGS | METH_KEYWORDS, kLabelsDoc},
    {"observe", python::method(histogram_observe), METH_FASTCALL | METH_KEYWORDS,
     "observe(amount)\n--\n\nCounts a value."},
    {"time", histogram_time, METH_NOARGS,
     "time()\n--\n\nObserves the seconds that a `with` block, or a function that it decorates, "
     "takes."},
    {nullptr, nullptr, 0, nullptr}};

Ref make_metric_type(PyObject* module, const char* name, PyMethodDef* methods, const char* doc) {
  PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>(doc)},
                         {Py_tp_dealloc, python::slot(python::dealloc_native<Metric>)},
                         {Py_tp_methods, methods},
                         {0, nullptr}};
  PyType_Spec spec = {name, sizeof(python::Native<Metric>), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  return Ref::steal(PyType_FromModuleAndSpec(module, &spec, nullptr));
}

// --- Functions of the module ---

PyObject* make_family(PyObject* module, const char* type_name, FamilyKey key, std::string help) {
  const auto checked = appmetrics::check_family(key);
  if (!checked) {
    PyErr_SetString(PyExc_ValueError, checked.error().sentence.c_str());
    return nullptr;
  }
  ModuleState& state = state_of(module);
  python::CalledByPython py(state.interpreter);
  const Ref type = Ref::steal(PyObject_GetAttrString(module, type_name));
  if (!type) return nullptr;
  return make_metric(py, type.get(), {state.measurements, std::move(key), std::move(help)})
      .release();
}

PyObject* counter(PyObject* module, PyObject* arguments, PyObject* named) {
  return python::py_entry([&]() -> PyObject* {
    auto given = MetricArguments::parse(arguments, named, "counter", nullptr);
    if (!given) return nullptr;
    constexpr std::string_view kTotal = "_total";
    std::string& name = given->name;
    if (name.ends_with(kTotal)) name.resize(name.size() - kTotal.size());
    return make_family(
        module, "Counter",
        {.kind = Kind::counter, .merge = {}, .name = name, .labels = given->labels, .bounds = {}},
        given->help);
  });
}

PyObject* gauge(PyObject* module, PyObject* arguments, PyObject* named) {
  return python::py_entry([&]() -> PyObject* {
    auto given = MetricArguments::parse(arguments, named, "gauge", "merge");
    const auto merge = given ? merge_of(given->last_or_null) : std::nullopt;
    if (!merge) return nullptr;
    return make_family(module, "Gauge",
                       {.kind = Kind::gauge,
                        .merge = *merge,
                        .name = given->name,
                        .labels = given->labels,
                        .bounds = {}},
                       given->help);
  });
}

PyObject* histogram(PyObject* module, PyObject* arguments, PyObject* named) {
  return python::py_entry([&]() -> PyObject* {
    auto given = MetricArguments::parse(arguments, named, "histogram", "buckets");
    auto bounds = given ? bounds_of(given->last_or_null) : std::nullopt;
    if (!bounds) return nullptr;
    return make_family(module, "Histogram",
                       {.kind = Kind::histogram,
                        .merge = {},
                        .name = given->name,
                        .labels = given->labels,
                        .bounds = *std::move(bounds)},
                       given->help);
  });
}

PyMethodDef metric_functions[] = {
    {"counter", python::method(counter), METH_VARARGS | METH_KEYWORDS,
     "counter(name, help='', labels=())\n--\n\n"
     "A number that only grows, over all processes of the group."},
    {"gauge", python::method(gauge), METH_VARARGS | METH_KEYWORDS,
     "gauge(name, help='', labels=(), merge='sum')\n--\n\n"
     "A number of each process, and what they come to: their 'sum', 'max' or 'min', what was set "
     "'last', or the sum of processes that 'live'."},
    {"histogram", python::method(histogram), METH_VARARGS | METH_KEYWORDS,
     "histogram(name, help='', labels=(), buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, "
     "0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0))\n--\n\n"
     "How many values were up to each of some bounds, and their sum, over all processes of the "
     "group."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_metric_types(Attached&, PyObject* module) {
  const auto add = [module](const char* name, Ref type) {
    return type && PyObject_SetAttrString(module, name, type.get()) == 0;
  };
  return add("Counter", make_metric_type(module, "mod_wsgi.Counter", counter_methods,
                                         "What counter() returns.")) &&
         add("Gauge",
             make_metric_type(module, "mod_wsgi.Gauge", gauge_methods, "What gauge() returns.")) &&
         add("Histogram", make_metric_type(module, "mod_wsgi.Histogram", histogram_methods,
                                           "What histogram() returns.")) &&
         PyModule_AddFunctions(module, metric_functions) == 0;
}

}  // namespace pyhost::pyapi

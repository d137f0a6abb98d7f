#include "pyapi/prometheus_value.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "appmetrics/merging.h"
#include "appmetrics/names.h"
#include "pyapi/metric_arguments.h"
#include "pyapi/module_state.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using appmetrics::FamilyKey;
using appmetrics::Kind;
using appmetrics::Merge;
using appmetrics::Part;
using python::Ref;

struct Value {
  Value(Measurements& own_measurements, FamilyKey own_family,
        const appmetrics::SeriesCells& own_cells)
      : measurements(own_measurements), family(std::move(own_family)), cells(own_cells) {}

  Measurements& measurements;
  FamilyKey family;
  appmetrics::SeriesCells cells;
  std::atomic<double> own = 0;  // where there are no cells
  Ref exemplar;                 // of this process
};

// What one of the package's values is of.
struct ValueSpec {
  FamilyKey family;
  std::string help;
  appmetrics::SeriesKey series;
};

std::optional<Kind> kind_of(std::string_view type) noexcept {
  if (type == "counter") return Kind::counter;
  if (type == "gauge") return Kind::gauge;
  if (type == "histogram") return Kind::histogram;
  if (type == "summary") return Kind::summary;
  return std::nullopt;
}

// multiprocess_mode of a gauge. Processes by themselves, by their ids, are not shown.
Merge merge_of_mode(std::string_view mode) noexcept {
  if (mode == "max" || mode == "livemax") return Merge::max;
  if (mode == "min" || mode == "livemin") return Merge::min;
  if (mode == "mostrecent" || mode == "livemostrecent") return Merge::last;
  return mode.starts_with("live") ? Merge::live : Merge::sum;
}

// Which part of its family a sample is, by its name.
std::optional<Part> part_of(Kind kind, std::string_view sample) noexcept {
  if (kind == Kind::counter || kind == Kind::gauge) return Part::value;
  if (sample.ends_with("_sum")) return Part::sum;
  if (kind == Kind::summary && sample.ends_with("_count")) return Part::count;
  if (kind == Kind::histogram && sample.ends_with("_bucket")) return Part::bucket;
  return std::nullopt;
}

std::optional<double> bound_of(std::string_view text) {
  const Ref number = Ref::steal(PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size())));
  const Ref parsed = Ref::steal(number ? PyFloat_FromString(number.get()) : nullptr);
  if (parsed) return PyFloat_AS_DOUBLE(parsed.get());
  PyErr_Clear();
  return std::nullopt;
}

// The bucket that it is comes as the last of the labels.
bool take_bound(ValueSpec& spec) {
  if (spec.family.labels.empty() || spec.family.labels.back() != "le") return false;
  const auto bound = bound_of(spec.series.values.back());
  spec.family.labels.pop_back();
  spec.series.values.pop_back();
  spec.series.bound = bound.value_or(0);
  return bound && !std::isnan(*bound);
}

// What a text in a dict of keywords says; "" when there is none.
std::string named_text(PyObject* named_or_null, const char* name) {
  PyObject* text = named_or_null == nullptr ? nullptr : PyDict_GetItemString(named_or_null, name);
  const char* utf8 = text != nullptr && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : nullptr;
  PyErr_Clear();
  return utf8 == nullptr ? "" : utf8;
}

// Nothing, without an exception, for what is not kept.
std::optional<ValueSpec> spec_of(PyObject* arguments, PyObject* named_or_null) {
  const char *type, *metric, *sample, *help = "";
  PyObject *labels, *values;
  const Ref first = Ref::steal(PyTuple_GetSlice(arguments, 0, 6));
  const bool parsed = first && PyArg_ParseTuple(first.get(), "sssOO|s", &type, &metric, &sample,
                                                &labels, &values, &help) != 0;
  auto names = parsed ? texts_of(labels, "labelnames") : std::nullopt;
  auto texts = names ? texts_of(values, "labelvalues") : std::nullopt;
  PyErr_Clear();
  const auto kind = texts ? kind_of(type) : std::nullopt;
  const auto part = kind ? part_of(*kind, sample) : std::nullopt;
  if (!part || names->size() != texts->size()) return std::nullopt;
  ValueSpec spec{.family = {.kind = *kind,
                            .merge = Merge::sum,
                            .name = metric,
                            .labels = *std::move(names),
                            .bounds = {}},
                 .help = help,
                 .series = {.family = 0, .part = *part, .bound = 0, .values = *std::move(texts)}};
  if (*kind == Kind::gauge) {
    spec.family.merge = merge_of_mode(named_text(named_or_null, "multiprocess_mode"));
  }
  if (*part == Part::bucket && !take_bound(spec)) return std::nullopt;
  if (!appmetrics::check_family(spec.family)) return std::nullopt;
  return spec;
}

PyObject* value_create(PyTypeObject* type, PyObject* arguments, PyObject* named_or_null) {
  return python::py_entry([&]() -> PyObject* {
    ModuleState& state = state_of(PyType_GetModule(type));
    Measurements& measurements = state.measurements;
    auto spec = spec_of(arguments, named_or_null);
    appmetrics::SeriesCells cells;
    if (spec) {
      python::CalledByPython py(state.interpreter);
      cells = measurements.series(py, spec->family, spec->help, std::move(spec->series), 1);
    }
    return python::make_native<Value>(reinterpret_cast<PyObject*>(type), measurements,
                                      spec ? std::move(spec->family) : FamilyKey{}, cells)
        .release();
  });
}

bool is_gauge(const Value& value) noexcept {
  return value.family.kind == Kind::gauge;
}

PyObject* value_inc(PyObject* self, PyObject* amount) {
  return python::py_entry([&]() -> PyObject* {
    Value& value = python::value_of<Value>(self);
    const double more = PyFloat_AsDouble(amount);
    if (more == -1 && PyErr_Occurred() != nullptr) return nullptr;
    if (is_gauge(value)) {
      value.cells.add_gauge(more);
    } else {
      value.cells.add(more);
    }
    if (!value.cells.is_kept()) value.own += more;
    Py_RETURN_NONE;
  });
}

// Of what is counted, over all processes: the package resets it so.
void set_total(const appmetrics::Memory& memory, const Value& value, double total) {
  const appmetrics::CellsPlace& place = value.cells.place();
  for (std::uint64_t way = 0; way < place.ways; ++way) {
    memory.word(place.at + way * place.stride).store(0, std::memory_order_relaxed);
  }
  value.cells.add(total);
}

// set(value, timestamp=None): what is set last is known without its time.
PyObject* value_set(PyObject* self, PyObject* arguments, PyObject* named) {
  return python::py_entry([&]() -> PyObject* {
    static const char* const names[] = {"value", "timestamp", nullptr};
    double number = 0;
    PyObject* timestamp = nullptr;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "d|O:set", const_cast<char**>(names),
                                     &number, &timestamp)) {
      return nullptr;
    }
    Value& value = python::value_of<Value>(self);
    if (!value.cells.is_kept()) {
      value.own = number;
    } else if (is_gauge(value)) {
      value.cells.set_gauge(number);
    } else {
      set_total(value.measurements.registry_or_null()->memory(), value, number);
    }
    Py_RETURN_NONE;
  });
}

// Over all processes.
PyObject* value_get(PyObject* self, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    const Value& value = python::value_of<Value>(self);
    if (!value.cells.is_kept()) return PyFloat_FromDouble(value.own);
    const auto& memory = python::value_of<Value>(self).measurements.registry_or_null()->memory();
    const appmetrics::CellsPlace& place = value.cells.place();
    if (!is_gauge(value)) return PyFloat_FromDouble(total_of(memory, place));
    return PyFloat_FromDouble(
        merged(memory, place, value.family.merge, counted_lanes(memory)).value_or(0));
  });
}

PyObject* set_exemplar(PyObject* self, PyObject* exemplar) {
  python::value_of<Value>(self).exemplar = Ref::share(exemplar);
  Py_RETURN_NONE;
}

PyObject* get_exemplar(PyObject* self, PyObject*) {
  const Value& value = python::value_of<Value>(self);
  return Py_NewRef(value.exemplar ? value.exemplar.get() : Py_None);
}

PyMethodDef value_methods[] = {
    {"inc", value_inc, METH_O, "inc(amount, /)\n--\n\nAdds a number."},
    {"set", python::method(value_set), METH_VARARGS | METH_KEYWORDS,
     "set(value, timestamp=None)\n--\n\nMakes it that number."},
    {"get", value_get, METH_NOARGS,
     "get()\n--\n\nWhat it comes to, over all processes of the group."},
    {"set_exemplar", set_exemplar, METH_O, "set_exemplar(exemplar, /)\n--\n\nKeeps an example."},
    {"get_exemplar", get_exemplar, METH_NOARGS, "get_exemplar()\n--\n\nThe example that was kept."},
    {nullptr, nullptr, 0, nullptr}};

constexpr char kValueDoc[] =
    "PrometheusValue(typ, metric_name, name, labelnames, labelvalues, help_text='', **kwargs)\n--"
    "\n\nA number of prometheus_client's, kept for all processes of the group.";

PyType_Slot value_slots[] = {{Py_tp_doc, const_cast<char*>(kValueDoc)},
                             {Py_tp_new, python::slot(value_create)},
                             {Py_tp_dealloc, python::slot(python::dealloc_native<Value>)},
                             {Py_tp_methods, value_methods},
                             {0, nullptr}};

PyType_Spec value_spec = {"mod_wsgi.PrometheusValue", sizeof(python::Native<Value>), 0,
                          Py_TPFLAGS_DEFAULT, value_slots};

// The loader stays the module's own, so that what looks at it finds what it expects.
constexpr char kHookSource[] = R"python(
import sys

NAME = 'prometheus_client.values'


def bring(values, kind):
    values.ValueClass = kind
    values.get_value_class = lambda: kind


class Finder:
    """Finds the module as others do, and waits for it."""

    def __init__(self, kind):
        self._kind = kind

    def find_spec(self, name, path=None, target=None):
        if name != NAME:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, 'find_spec', None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                break
        else:
            return None
        run = spec.loader.exec_module

        def run_and_bring(module):
            run(module)
            bring(module, self._kind)

        spec.loader.exec_module = run_and_bring
        return spec


def install(kind):
    if NAME in sys.modules:
        bring(sys.modules[NAME], kind)
    else:
        sys.meta_path.insert(0, Finder(kind))
)python";

}  // namespace

bool install_prometheus_values(python::Attached&, PyObject* module) {
  const Ref type = Ref::steal(PyType_FromModuleAndSpec(module, &value_spec, nullptr));
  const Ref names = Ref::steal(type ? PyDict_New() : nullptr);
  if (!names || PyObject_SetAttrString(type.get(), "_multiprocess", Py_False) != 0 ||
      PyDict_SetItemString(names.get(), "__builtins__", PyEval_GetBuiltins()) != 0) {
    return false;
  }
  const Ref code =
      Ref::steal(Py_CompileString(kHookSource, "<mod_wsgi prometheus_client>", Py_file_input));
  const Ref done =
      Ref::steal(code ? PyEval_EvalCode(code.get(), names.get(), names.get()) : nullptr);
  PyObject* install = done ? PyDict_GetItemString(names.get(), "install") : nullptr;
  return install != nullptr && Ref::steal(PyObject_CallOneArg(install, type.get()));
}

}  // namespace pyhost::pyapi

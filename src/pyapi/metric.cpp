#include "pyapi/metric.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pyapi/module_state.h"
#include "python/compat.h"

namespace pyhost::pyapi {
namespace {

using appmetrics::FamilyKey;
using appmetrics::Kind;
using appmetrics::Part;
using python::Attached;
using python::Ref;

appmetrics::SeriesCells cells_for(Attached& py, const MetricFamily& family,
                                  std::vector<std::string> values) {
  const bool is_histogram = family.key.kind == Kind::histogram;
  const auto cells = is_histogram ? static_cast<std::uint32_t>(family.key.bounds.size()) + 2 : 1;
  return family.measurements.series(py, family.key, family.help,
                                    {.family = 0,
                                     .part = is_histogram ? Part::whole : Part::value,
                                     .bound = 0,
                                     .values = std::move(values)},
                                    cells);
}

void raise_wrong_labels(const FamilyKey& key) {
  const std::string sentence =
      key.labels.empty()
          ? fmt::format("{} has no labels", key.name)
          : fmt::format("labels() of {} takes a value for each of {}, in this order or by name",
                        key.name, fmt::join(key.labels, ", "));
  PyErr_SetString(PyExc_ValueError, sentence.c_str());
}

// A tuple of str, in the order of the labels; null with an exception pending.
Ref label_texts(const FamilyKey& key, PyObject* values, PyObject* named_or_null) {
  const auto count = static_cast<Py_ssize_t>(key.labels.size());
  const bool by_name = named_or_null != nullptr && PyDict_GET_SIZE(named_or_null) > 0;
  const Py_ssize_t given =
      PyTuple_GET_SIZE(values) + (by_name ? PyDict_GET_SIZE(named_or_null) : 0);
  if (count == 0 || given != count || (by_name && PyTuple_GET_SIZE(values) != 0)) {
    raise_wrong_labels(key);
    return {};
  }
  Ref texts = Ref::steal(PyTuple_New(count));
  for (Py_ssize_t i = 0; texts && i < count; ++i) {
    PyObject* value = by_name ? PyDict_GetItemString(named_or_null, key.labels[i].c_str())
                              : PyTuple_GET_ITEM(values, i);
    if (value == nullptr) {
      raise_wrong_labels(key);
      return {};
    }
    PyObject* text = PyObject_Str(value);
    if (text == nullptr) return {};
    PyTuple_SET_ITEM(texts.get(), i, text);
  }
  return texts;
}

// Null with an exception pending, such as that of a text that UTF-8 cannot carry.
Ref make_child(Attached& py, PyObject* parent, PyObject* texts) {
  const auto& family = python::value_of<Metric>(parent).family;
  std::vector<std::string> values;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts); ++i) {
    Py_ssize_t bytes = 0;
    const char* text = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(texts, i), &bytes);
    if (text == nullptr) return {};
    values.emplace_back(text, static_cast<std::size_t>(bytes));
  }
  return python::make_native<Metric>(
      reinterpret_cast<PyObject*>(Py_TYPE(parent)),
      Metric{.family = family, .children = {}, .cells = cells_for(py, *family, std::move(values))});
}

}  // namespace

void raise_lack_of_labels(const Metric& metric) {
  const std::string sentence =
      fmt::format("{} has labels: use what labels({}) returns", metric.family->key.name,
                  fmt::join(metric.family->key.labels, ", "));
  PyErr_SetString(PyExc_ValueError, sentence.c_str());
}

Ref make_metric(Attached& py, PyObject* type, MetricFamily family) {
  const auto shared = std::make_shared<const MetricFamily>(std::move(family));
  if (shared->key.labels.empty()) {
    return python::make_native<Metric>(
        type, Metric{.family = shared, .children = {}, .cells = cells_for(py, *shared, {})});
  }
  Ref children = Ref::steal(PyDict_New());
  if (!children) return {};
  return python::make_native<Metric>(
      type, Metric{.family = shared, .children = std::move(children), .cells = {}});
}

// What is known is found by the arguments as they are.
PyObject* metric_labels(PyObject* self, PyObject* values, PyObject* named_or_null) {
  return python::py_entry([&]() -> PyObject* {
    const Metric& metric = python::value_of<Metric>(self);
    if (metric.children && named_or_null == nullptr) {
      if (Ref known = python::get_item(metric.children.get(), values)) return known.release();
      // One that cannot be hashed is not known.
      PyErr_Clear();
    }
    const Ref texts =
        metric.children ? label_texts(metric.family->key, values, named_or_null) : Ref();
    if (!texts) {
      if (PyErr_Occurred() == nullptr) raise_wrong_labels({.name = metric.family->key.name});
      return nullptr;
    }
    if (Ref known = python::get_item(metric.children.get(), texts.get())) return known.release();
    if (PyErr_Occurred() != nullptr) return nullptr;
    python::CalledByPython py(state_of(PyType_GetModule(Py_TYPE(self))).interpreter);
    Ref child = make_child(py, self, texts.get());
    if (!child || PyDict_SetItem(metric.children.get(), texts.get(), child.get()) != 0) {
      return nullptr;
    }
    return child.release();
  });
}

}  // namespace pyhost::pyapi

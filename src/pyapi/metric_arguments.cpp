#include "pyapi/metric_arguments.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace pyhost::pyapi {
namespace {

using appmetrics::Merge;
using python::Ref;

// As prometheus_client has them, in seconds.
constexpr std::array kUsualBounds{.005, .01, .025, .05, .075, .1,  .25,
                                  .5,   .75, 1.0,  2.5, 5.0,  7.5, 10.0};

}  // namespace

std::optional<std::vector<std::string>> texts_of(PyObject* iterable, const char* what) {
  std::vector<std::string> texts;
  const Ref items = PyUnicode_Check(iterable) ? Ref() : Ref::steal(PySequence_Fast(iterable, ""));
  if (!items) {
    PyErr_Format(PyExc_TypeError, "%s must be a tuple or list of str", what);
    return std::nullopt;
  }
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), i);
    if (!PyUnicode_Check(item)) {
      PyErr_Format(PyExc_TypeError, "%s must be a tuple or list of str", what);
      return std::nullopt;
    }
    Py_ssize_t bytes = 0;
    const char* text = PyUnicode_AsUTF8AndSize(item, &bytes);
    if (text == nullptr) return std::nullopt;
    texts.emplace_back(text, static_cast<std::size_t>(bytes));
  }
  return texts;
}

std::optional<MetricArguments> MetricArguments::parse(PyObject* arguments, PyObject* named,
                                                      const char* function,
                                                      const char* last_or_null) {
  const char* names[] = {"name", "help", "labels", last_or_null, nullptr};
  const std::string format =
      (last_or_null == nullptr ? "s#|s#O:" : "s#|s#OO:") + std::string(function);
  const char *name = nullptr, *help = "";
  Py_ssize_t name_bytes = 0, help_bytes = 0;
  PyObject *labels = nullptr, *last = nullptr;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, format.c_str(), const_cast<char**>(names),
                                   &name, &name_bytes, &help, &help_bytes, &labels, &last)) {
    return std::nullopt;
  }
  MetricArguments given{.name = std::string(name, static_cast<std::size_t>(name_bytes)),
                        .help = std::string(help, static_cast<std::size_t>(help_bytes)),
                        .labels = {},
                        .last_or_null = last};
  if (labels == nullptr) return given;
  auto texts = texts_of(labels, "labels");
  if (!texts) return std::nullopt;
  given.labels = *std::move(texts);
  return given;
}

std::optional<Merge> merge_of(PyObject* name_or_null) {
  if (name_or_null == nullptr) return Merge::sum;
  for (const auto& [name, merge] :
       {std::pair("sum", Merge::sum), std::pair("max", Merge::max), std::pair("min", Merge::min),
        std::pair("last", Merge::last), std::pair("live", Merge::live)}) {
    const bool is_it =
        PyUnicode_Check(name_or_null) && PyUnicode_CompareWithASCIIString(name_or_null, name) == 0;
    if (is_it) return merge;
  }
  PyErr_Format(PyExc_ValueError, "merge must be 'sum', 'max', 'min', 'last' or 'live', not %R",
               name_or_null);
  return std::nullopt;
}

std::optional<std::vector<double>> bounds_of(PyObject* iterable_or_null) {
  if (iterable_or_null == nullptr)
    return std::vector<double>(kUsualBounds.begin(), kUsualBounds.end());
  const Ref items =
      Ref::steal(PySequence_Fast(iterable_or_null, "buckets must be a tuple or list of numbers"));
  if (!items) return std::nullopt;
  std::vector<double> bounds;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    const double bound = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items.get(), i));
    if (bound == -1 && PyErr_Occurred() != nullptr) return std::nullopt;
    bounds.push_back(bound);
  }
  if (!bounds.empty() && std::isinf(bounds.back()) && bounds.back() > 0) bounds.pop_back();
  return bounds;
}

}  // namespace pyhost::pyapi

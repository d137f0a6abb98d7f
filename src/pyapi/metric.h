// A metric, as applications hold it.
#pragma once

#include <memory>
#include <string>

#include "appmetrics/cells.h"
#include "appmetrics/record.h"
#include "pyapi/measurements.h"
#include "python/native_type.h"
#include "python/ref.h"

namespace pyhost::pyapi {

struct MetricFamily {
  Measurements& measurements;
  appmetrics::FamilyKey key;
  std::string help;
};

// The value of a Counter, Gauge or Histogram. One whose family has labels has children, which have
// the values of these; each of the others has a series.
struct Metric {
  std::shared_ptr<const MetricFamily> family;
  python::Ref children;  // {(value, ...): Metric}; null when it has a series
  appmetrics::SeriesCells cells;
};

// The first of a family, of the type that belongs to its kind. Null with an exception pending.
python::Ref make_metric(python::Attached& py, PyObject* type, MetricFamily family);

// labels(*values, **values_by_name) of all three.
PyObject* metric_labels(PyObject* self, PyObject* values, PyObject* named);

// Sets the exception for one that has labels and was used without.
void raise_lack_of_labels(const Metric& metric);

// What a method may write to; null with an exception pending.
inline const appmetrics::SeriesCells* cells_or_null(PyObject* self) {
  const Metric& metric = python::value_of<Metric>(self);
  if (!metric.children) return &metric.cells;
  raise_lack_of_labels(metric);
  return nullptr;
}

}  // namespace pyhost::pyapi

// What the functions that make metrics are called with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appmetrics/record.h"
#include "python/ref.h"

namespace pyhost::pyapi {

struct MetricArguments {
  std::string name;
  std::string help;
  std::vector<std::string> labels;
  PyObject* last_or_null = nullptr;  // borrowed: the one that only this function has

  // name, help, labels and, unless it is null, `last`. Nothing with an exception pending.
  static std::optional<MetricArguments> parse(PyObject* arguments, PyObject* named,
                                              const char* function, const char* last_or_null);
};

// Texts of an iterable that is no str itself; nothing with an exception pending.
std::optional<std::vector<std::string>> texts_of(PyObject* iterable, const char* what);

// "sum" and so on; that without one. Nothing with an exception pending.
std::optional<appmetrics::Merge> merge_of(PyObject* name_or_null);

// The bounds of buckets, without the infinite one, which there is always; the usual ones without
// any. Nothing with an exception pending.
std::optional<std::vector<double>> bounds_of(PyObject* iterable_or_null);

}  // namespace pyhost::pyapi

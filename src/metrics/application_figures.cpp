#include "metrics/application_figures.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "appmetrics/names.h"

namespace pyhost::metrics {
namespace {

// All that are taken in one of the formats.
std::vector<std::string> names_of(const appmetrics::Family& family) {
  const std::string& name = family.name;
  switch (family.kind) {
    case appmetrics::Kind::counter:
      return {name, name + "_total", name + "_created"};
    case appmetrics::Kind::gauge:
      break;
    case appmetrics::Kind::histogram:
      return {name, name + "_bucket", name + "_sum", name + "_count", name + "_created"};
    case appmetrics::Kind::summary:
      return {name, name + "_sum", name + "_count", name + "_created"};
  }
  return {name};
}

std::vector<std::string> shown_labels(std::vector<std::string> labels) {
  std::ranges::replace(labels, appmetrics::kGroupLabel, appmetrics::kExportedGroupLabel);
  return labels;
}

}  // namespace

// A new one where there is none of that name.
ApplicationFigures::Family* ApplicationFigures::family_or_null(const appmetrics::Family& family) {
  const auto found = std::ranges::find(families_, family.name, &Family::name);
  if (found != families_.end()) return found->kind == family.kind ? &*found : nullptr;
  auto names = names_of(family);
  const bool is_free =
      std::ranges::none_of(names, [this](const auto& name) { return names_.contains(name); });
  if (!is_free) return nullptr;
  names_.insert(std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
  families_.push_back(
      {.kind = family.kind, .name = family.name, .help = family.help, .samples = {}});
  return &families_.back();
}

void ApplicationFigures::add(std::string_view group, std::vector<appmetrics::Family> families) {
  for (appmetrics::Family& family : families) {
    Family* known = family_or_null(family);
    if (known == nullptr) continue;
    const auto labels = shown_labels(std::move(family.labels));
    for (appmetrics::Sample& sample : family.samples) {
      known->samples.push_back(
          {.group = std::string(group), .labels = labels, .sample = std::move(sample)});
    }
  }
}

}  // namespace pyhost::metrics

#include "metrics/figures_json.h"

#include <nlohmann/json.hpp>

#include "appmetrics/names.h"
#include "base/printable.h"

namespace pyhost::metrics {
namespace {

using Json = nlohmann::ordered_json;

void put_histogram(Json& json, const Buckets& buckets) {
  Json& list = json["buckets"] = Json::array();
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < buckets.numbers.size(); ++i) {
    up_to += buckets.numbers[i];
    const bool is_last = i == buckets.bounds_us.size();
    list.push_back(Json::array({is_last ? Json() : Json(in_seconds(buckets.bounds_us[i])), up_to}));
  }
  json["sum"] = in_seconds(buckets.sum_us);
  json["count"] = up_to;
}

Json json_of(const Sample& sample) {
  Json json = Json::object();
  Json& labels = json["labels"] = Json::object();
  for (const Label& label : sample.labels) {
    labels[std::string(label.name)] = base::printable(label.value);
  }
  if (const auto* buckets = std::get_if<Buckets>(&sample.value)) {
    put_histogram(json, *buckets);
  } else {
    json["value"] = std::get<double>(sample.value);
  }
  return json;
}

struct ValueWriter {
  Json& json;

  void operator()(double value) const { json["value"] = value; }
  void operator()(const appmetrics::Summary& summary) const {
    json["sum"] = summary.sum;
    json["count"] = summary.count;
  }
  void operator()(const appmetrics::Distribution& all) const {
    Json& list = json["buckets"] = Json::array();
    double up_to = 0;
    for (std::size_t i = 0; i < all.bounds.size(); ++i) {
      up_to += all.numbers[i];
      // What is no number in JSON is null there.
      list.push_back(Json::array({all.bounds[i], up_to}));
    }
    json["sum"] = all.sum;
    json["count"] = up_to;
  }
};

Json json_of(const ApplicationFigures::Sample& sample) {
  Json json = Json::object();
  Json& labels = json["labels"] = Json::object();
  labels[std::string(appmetrics::kGroupLabel)] = base::printable(sample.group);
  for (std::size_t i = 0; i < sample.labels.size(); ++i) {
    labels[sample.labels[i]] = base::printable(sample.sample.values[i]);
  }
  std::visit(ValueWriter{json}, sample.sample.value);
  return json;
}

}  // namespace

Json json_of(const Figures& figures) {
  Json json = Json::object();
  for (std::size_t i = 0; i < all_families().size(); ++i) {
    Json& list = json[std::string(all_families()[i].name)] = Json::array();
    for (const Sample& sample : figures.of(Family(i))) list.push_back(json_of(sample));
  }
  for (const auto& family : figures.applications().families()) {
    Json& list = json[family.name] = Json::array();
    for (const auto& sample : family.samples) list.push_back(json_of(sample));
  }
  return json;
}

}  // namespace pyhost::metrics

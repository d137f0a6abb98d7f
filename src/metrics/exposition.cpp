#include "metrics/exposition.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "metrics/application_text.h"

namespace pyhost::metrics {
namespace {

constexpr std::string_view kTotal = "_total";
constexpr std::string_view kInfo = "_info";

// What HELP and its like name. OpenMetrics does so without the suffix that samples have.
std::string_view described_name(const FamilyInfo& family, Format format) noexcept {
  std::string_view name = family.name;
  if (format == Format::prometheus) return name;
  if (family.type == MetricType::counter) name.remove_suffix(kTotal.size());
  if (family.type == MetricType::info) name.remove_suffix(kInfo.size());
  return name;
}

// Prometheus knows no info metrics.
std::string_view type_name(const FamilyInfo& family, Format format) noexcept {
  const bool is_info = family.type == MetricType::info;
  return name_of(is_info && format == Format::prometheus ? MetricType::gauge : family.type);
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : base::printable(value)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

// With `last` behind them, which may be empty.
void append_labels(std::string& out, const std::vector<Label>& labels, std::string_view last) {
  if (labels.empty() && last.empty()) return;
  char before = '{';
  for (const Label& label : labels) {
    out += std::exchange(before, ',');
    out.append(label.name).append("=\"");
    append_escaped(out, label.value);
    out += '"';
  }
  if (!last.empty()) out.append(1, std::exchange(before, ',')).append(last);
  out += '}';
}

// As Go writes them, so that 1 is the same in both formats.
std::string bound_text(std::uint64_t us) {
  const std::string text = fmt::format("{}", in_seconds(us));
  return text.find('.') == text.npos ? text + ".0" : text;
}

void append_sample(std::string& out, std::string_view name, const Sample& sample,
                   std::string_view last, double value) {
  out += name;
  append_labels(out, sample.labels, last);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_histogram(std::string& out, std::string_view name, const Sample& sample,
                      const Buckets& buckets) {
  const std::string bucket = std::string(name) + "_bucket";
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < buckets.numbers.size(); ++i) {
    up_to += buckets.numbers[i];
    const std::string bound =
        i < buckets.bounds_us.size() ? bound_text(buckets.bounds_us[i]) : "+Inf";
    append_sample(out, bucket, sample, fmt::format("le=\"{}\"", bound), static_cast<double>(up_to));
  }
  append_sample(out, std::string(name) + "_sum", sample, {}, in_seconds(buckets.sum_us));
  append_sample(out, std::string(name) + "_count", sample, {}, static_cast<double>(up_to));
}

void append_family(std::string& out, const FamilyInfo& family, std::span<const Sample> samples,
                   Format format) {
  const std::string_view name = described_name(family, format);
  if (format == Format::openmetrics) {
    fmt::format_to(std::back_inserter(out), "# TYPE {} {}\n", name, type_name(family, format));
    if (!family.unit.empty()) {
      fmt::format_to(std::back_inserter(out), "# UNIT {} {}\n", name, family.unit);
    }
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n", name, family.help);
  } else {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name,
                   type_name(family, format));
  }
  for (const Sample& sample : samples) {
    if (const auto* buckets = std::get_if<Buckets>(&sample.value)) {
      append_histogram(out, family.name, sample, *buckets);
    } else {
      append_sample(out, family.name, sample, {}, std::get<double>(sample.value));
    }
  }
}

std::string text_of(const Figures& figures, Format format) {
  std::string out;
  for (std::size_t i = 0; i < all_families().size(); ++i) {
    append_family(out, all_families()[i], figures.of(Family(i)), format);
  }
  append_applications(out, figures.applications(), format);
  return out;
}

}  // namespace

std::string prometheus_text(const Figures& figures) {
  return text_of(figures, Format::prometheus);
}

std::string openmetrics_text(const Figures& figures) {
  return text_of(figures, Format::openmetrics) + "# EOF\n";
}

}  // namespace pyhost::metrics

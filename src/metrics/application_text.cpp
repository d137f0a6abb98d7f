#include "metrics/application_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>
#include <variant>

#include "appmetrics/names.h"
#include "base/printable.h"

namespace pyhost::metrics {
namespace {

using appmetrics::Distribution;
using appmetrics::Kind;
using appmetrics::Summary;

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      return "histogram";
    case Kind::summary:
      break;
  }
  return "summary";
}

// As both formats have it; what terminals would obey, and what is no UTF-8, is printable as well.
void append_escaped(std::string& out, std::string_view text, std::string_view also) {
  for (const char c : base::printable(text, "\n\t")) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || also.find(c) != also.npos) out += '\\';
    out += c;
  }
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

// As Go writes them, so that 1 is the same in both formats.
std::string bound_text(double bound) {
  const std::string text = number_text(bound);
  return text.find_first_not_of("-0123456789") == text.npos ? text + ".0" : text;
}

// Writes the samples of one family.
class SampleWriter {
 public:
  SampleWriter(std::string& out, const ApplicationFigures::Sample& sample, std::string_view name)
      : out_(out), sample_(sample), name_(name) {}

  void operator()(double value) const { append("", "", value); }
  void operator()(const Summary& summary) const {
    append("_count", "", summary.count);
    append("_sum", "", summary.sum);
  }
  void operator()(const Distribution& all) const {
    double up_to = 0;
    for (std::size_t i = 0; i < all.bounds.size(); ++i) {
      up_to += all.numbers[i];
      append("_bucket", bound_text(all.bounds[i]), up_to);
    }
    append("_sum", "", all.sum);
    append("_count", "", up_to);
  }

 private:
  void append(std::string_view suffix, std::string_view bound, double value) const {
    out_.append(name_).append(suffix).append("{").append(appmetrics::kGroupLabel).append("=\"");
    append_escaped(out_, sample_.group, "\"");
    out_ += '"';
    for (std::size_t i = 0; i < sample_.labels.size(); ++i) {
      out_.append(",").append(sample_.labels[i]).append("=\"");
      append_escaped(out_, sample_.sample.values[i], "\"");
      out_ += '"';
    }
    if (!bound.empty()) fmt::format_to(std::back_inserter(out_), ",le=\"{}\"", bound);
    fmt::format_to(std::back_inserter(out_), "}} {}\n", number_text(value));
  }

  std::string& out_;
  const ApplicationFigures::Sample& sample_;
  const std::string_view name_;
};

// OpenMetrics describes a counter without the suffix that its samples have.
void append_description(std::string& out, const ApplicationFigures::Family& family,
                        std::string_view sample_name, Format format) {
  const bool is_openmetrics = format == Format::openmetrics;
  const std::string_view name = is_openmetrics ? family.name : sample_name;
  const std::string type = fmt::format("# TYPE {} {}\n", name, name_of(family.kind));
  if (is_openmetrics) out += type;
  out.append("# HELP ").append(name).append(" ");
  append_escaped(out, family.help, is_openmetrics ? "\"" : "");
  out += '\n';
  if (!is_openmetrics) out += type;
}

}  // namespace

void append_applications(std::string& out, const ApplicationFigures& figures, Format format) {
  for (const auto& family : figures.families()) {
    const std::string name = family.name + (family.kind == Kind::counter ? "_total" : "");
    append_description(out, family, name, format);
    for (const auto& sample : family.samples) {
      std::visit(SampleWriter(out, sample, name), sample.sample.value);
    }
  }
}

}  // namespace pyhost::metrics

#include "apache/status/status_form.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/parse.h"
#include "base/trimmed.h"

namespace pyhost::apache {
namespace {

// Calls `visit` with each part of a text that has `separator` between them.
template <class Visit>
void for_each_part(std::string_view text, char separator, Visit visit) {
  for (std::size_t start = 0; start <= text.size();) {
    const auto stop = std::min(text.find(separator, start), text.size());
    visit(base::trimmed(text.substr(start, stop - start)));
    start = stop + 1;
  }
}

bool has_part(std::string_view query, std::string_view wanted) {
  bool found = false;
  for_each_part(query, '&', [&](std::string_view part) { found = found || part == wanted; });
  return found;
}

// With a value or without one.
bool has_key(std::string_view query, std::string_view key) {
  bool found = false;
  for_each_part(query, '&', [&](std::string_view part) {
    found = found || part.substr(0, part.find('=')) == key;
  });
  return found;
}

// One type that a client takes.
struct Wish {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

Wish wish_of(std::string_view item) {
  Wish wish;
  for_each_part(item, ';', [&](std::string_view part) {
    const auto equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = equals == part.npos ? "" : part.substr(equals + 1);
    if (wish.type.empty()) {
      wish.type = part;
    } else if (base::equals_ignoring_case(name, "q")) {
      wish.quality = std::strtod(std::string(value).c_str(), nullptr);
    } else if (base::equals_ignoring_case(name, "version")) {
      wish.version = value;
    }
  });
  return wish;
}

bool is_openmetrics(const Wish& wish) {
  return base::equals_ignoring_case(wish.type, "application/openmetrics-text") &&
         (wish.version.empty() || wish.version == "1.0.0");
}

// text/plain alone is what browsers and curl may say as well.
bool is_prometheus(const Wish& wish) {
  return base::equals_ignoring_case(wish.type, "text/plain") && wish.version == "0.0.4";
}

bool is_html(const Wish& wish) {
  return base::equals_ignoring_case(wish.type, "text/html");
}

}  // namespace

StatusForm status_form_of(std::string_view query, std::string_view accept) {
  if (has_key(query, "json")) return StatusForm::json;
  if (has_key(query, "html")) return StatusForm::page;
  double openmetrics = 0, prometheus = 0, html = 0;
  for_each_part(accept, ',', [&](std::string_view item) {
    const Wish wish = wish_of(item);
    if (is_openmetrics(wish)) openmetrics = std::max(openmetrics, wish.quality);
    if (is_prometheus(wish)) prometheus = std::max(prometheus, wish.quality);
    if (is_html(wish)) html = std::max(html, wish.quality);
  });
  if (openmetrics > 0 && openmetrics >= prometheus) return StatusForm::openmetrics;
  const bool wants_text = prometheus > 0 || has_key(query, "metrics");
  if (wants_text) return StatusForm::prometheus;
  return html > 0 ? StatusForm::page : StatusForm::json;
}

std::string_view value_in(std::string_view query, std::string_view key) {
  std::string_view value;
  for_each_part(query, '&', [&](std::string_view part) {
    const auto equals = part.find('=');
    if (equals != part.npos && part.substr(0, equals) == key) value = part.substr(equals + 1);
  });
  return value;
}

bool wants_workers(std::string_view query) {
  return has_part(query, "workers=1");
}

}  // namespace pyhost::apache

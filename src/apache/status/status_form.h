// In which form a request wants the figures.
#pragma once

#include <string_view>

namespace pyhost::apache {

enum class StatusForm { page, json, prometheus, openmetrics };

// ?html, ?json and ?metrics say so; without either, Accept does, as browsers and Prometheus send
// it, and JSON is for whoever names no type that there is. Of the text formats it is the one that
// Accept prefers.
StatusForm status_form_of(std::string_view query, std::string_view accept);

// What the query says of a key that has a value, with %XX as it is; "" without one.
std::string_view value_in(std::string_view query, std::string_view key);

// Whether the query has ?workers=1, and so wants each worker by itself.
bool wants_workers(std::string_view query);

}  // namespace pyhost::apache

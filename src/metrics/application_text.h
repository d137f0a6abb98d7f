// Applications' own metrics in the text formats.
#pragma once

#include <string>

#include "metrics/application_figures.h"

namespace pyhost::metrics {

enum class Format { prometheus, openmetrics };

void append_applications(std::string& out, const ApplicationFigures& figures, Format format);

}  // namespace pyhost::metrics

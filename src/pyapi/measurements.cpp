#include "pyapi/measurements.h"

#include <fmt/format.h>

#include "appmetrics/lanes.h"

namespace pyhost::pyapi {

Measurements::Measurements(const gateway::EngineSettings& settings, base::LogSink& server_log)
    : server_log_(server_log), group_(settings.process_group) {
  const gateway::MetricsMemory& own = settings.metrics;
  auto memory = appmetrics::Memory::over(own.bytes);
  if (!memory) return;
  const appmetrics::Seat seat{.slot = own.slot, .lane = own.lane, .owner = own.owner};
  memory_.emplace(*std::move(memory));
  appmetrics::take_lane(*memory_, seat);
  registry_.emplace(*memory_, seat);
}

appmetrics::SeriesCells Measurements::series(python::Attached& py,
                                             const appmetrics::FamilyKey& family,
                                             std::string_view help, appmetrics::SeriesKey series,
                                             std::uint32_t cells) {
  if (!registry_) return {};
  appmetrics::SeriesCells found(memory_->header().dropped);
  if (const auto at = registry_->family(family, help)) {
    series.family = *at;
    found = registry_->series(series, spread_of(family.kind, family.merge), cells);
  }
  if (!found.is_kept()) complain(py);
  return found;
}

void Measurements::complain(python::Attached& py) {
  if (!registry_->may_complain()) return;
  const std::string where =
      group_.empty()
          ? "of httpd's own processes"
          : fmt::format("of process group '{}' (metrics= of its WSGIDaemonProcess)", group_);
  const python::DetachScope detached(py);
  server_log_.log(
      base::LogLevel::warn, base::Message::metrics_exhausted,
      fmt::format("there is no room for more series of metrics {}, or the text of a label "
                  "is too long; what is measured for them is counted as dropped",
                  where));
}

}  // namespace pyhost::pyapi

// Where what the applications of this process measure is kept.
#pragma once

#include <optional>
#include <string>

#include "appmetrics/registry.h"
#include "pyhost/base/log.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"

namespace pyhost::pyapi {

// One per process, as long as which it lives: threads of Python's that are never ended may use it
// to the end. Any thread may call everything.
class Measurements {
 public:
  // Takes the process's lane for its gauges.
  Measurements(const gateway::EngineSettings& settings, base::LogSink& server_log);

  // Null when nothing is kept.
  appmetrics::Registry* registry_or_null() noexcept { return registry_ ? &*registry_ : nullptr; }

  // The cells of a series of such a family, and of none, when there is no room for it; that is
  // logged once for all processes of the group.
  appmetrics::SeriesCells series(python::Attached& py, const appmetrics::FamilyKey& family,
                                 std::string_view help, appmetrics::SeriesKey series,
                                 std::uint32_t cells);

 private:
  void complain(python::Attached& py);

  base::LogSink& server_log_;
  const std::string group_;
  std::optional<appmetrics::Memory> memory_;
  std::optional<appmetrics::Registry> registry_;
};

}  // namespace pyhost::pyapi

// The figures of a process group, from its scoreboard.
#pragma once

#include <string>
#include <string_view>

#include "appmetrics/memory.h"
#include "base/clock.h"
#include "metrics/figures.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::metrics {

// Whether each worker is shown by itself, too.
enum class WorkerDetail { off, on };

struct MeasuredGroup {
  std::string name;  // "": what httpd's own processes run
  const scoreboard::Scoreboard& board;
  unsigned slots = 0;
  // Requests that a worker takes at a time, as far as that is known before it says so; of all of
  // httpd's processes where these run it.
  unsigned threads = 0;
  unsigned own_threads = 0;  // of a worker, whose event loops take more than these
  unsigned queue = 0;
  const appmetrics::Memory* metrics_or_null = nullptr;  // of its applications

  bool is_embedded() const noexcept { return name.empty(); }
};

// Adds them as they are `now`. Only reads the board, so that it works whatever the workers do.
void add_group(Figures& figures, const MeasuredGroup& group, WorkerDetail detail,
               base::TimePoint now);

// One for each Python; without any, one that names none.
void add_build(Figures& figures, std::string_view httpd_version,
               std::span<const std::string> pythons);

}  // namespace pyhost::metrics

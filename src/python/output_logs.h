// What Python code prints in one place.
#pragma once

#include "pyhost/gateway/logging.h"
#include "python/line_log.h"

namespace pyhost::python {

// Where a text goes: sys.stdout, or sys.stderr and wsgi.errors.
enum class Output { standard, errors };

// A log for each, because their lines do not mix and have levels of their own. Thread-safe.
class OutputLogs {
 public:
  OutputLogs(base::LogSink& sink, const gateway::Logging& levels) noexcept
      : standard_(sink, levels.output), errors_(sink, levels.errors) {}

  LineLog& of(Output output) noexcept { return output == Output::standard ? standard_ : errors_; }
  base::LogSink& sink() const noexcept { return errors_.sink(); }

  // As LineLog's.
  void flush() noexcept {
    standard_.flush();
    errors_.flush();
  }

 private:
  LineLog standard_;
  LineLog errors_;
};

}  // namespace pyhost::python

// Text that an application prints, cut into log records.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "pyhost/base/log.h"

namespace pyhost::python {

class Attached;

// Collects text up to line ends and sends each complete line to a sink as one record of a level.
// Thread-safe; logs with the interpreter detached.
class LineLog {
 public:
  LineLog(base::LogSink& sink, base::LogLevel level) noexcept : sink_(sink), level_(level) {}

  base::LogSink& sink() const noexcept { return sink_; }

  // Sends the lines that `text` completes; the rest waits for its end.
  void write(Attached& py, std::string_view text);
  // Python's text streams flush behind whatever had a line end in it, also what is behind that end;
  // here this waits for the rest of its line. Whether a flush is that one.
  bool take_line_flush() noexcept;
  // Sends what has no line end yet. For a thread that is not attached.
  void flush() noexcept;
  // The same for an attached thread.
  void flush(Attached& py);

 private:
  std::string take_complete_lines(std::string_view text);
  std::string take_partial();

  base::LogSink& sink_;
  const base::LogLevel level_;
  std::mutex mutex_;
  std::string partial_;               // guarded by mutex_
  bool line_flush_expected_ = false;  // the same
};

}  // namespace pyhost::python

// Log records and where they go. No layer but apache/ knows httpd's log functions.
#pragma once

#include <string_view>

#include "pyhost/base/messages.h"

namespace pyhost::base {

// httpd's levels, in its order.
enum class LogLevel { emerg, alert, crit, error, warn, notice, info, debug, trace };

// A record of Python's logging, in the parts it has.
struct ApplicationRecord {
  LogLevel level = LogLevel::error;
  std::string_view text;       // may have several lines; as its formatter made it, or without
  std::string_view traceback;  // what is here instead: lines
  std::string_view logger;     // "shop.orders"
  std::string_view file;       // of the source; "" when that is not known
  unsigned line = 0;           // in it
};

// Takes log records. Implementations are safe to call from any thread, may block on I/O and must
// not throw; callers that hold the interpreter lock release it first.
class LogSink {
 public:
  virtual ~LogSink() = default;

  // Whether a record of this level would be kept: lets callers skip building it. What applications
  // print may be kept even if not.
  virtual bool wants(LogLevel level) const noexcept = 0;

  // One record. `text` may have several lines and any bytes; the sink escapes what its format
  // needs and never loses the end of a long text. `message` prefixes the text with its id unless
  // it is Message::none: what an application prints, of which each line is a record.
  virtual void log(LogLevel level, Message message, std::string_view text) noexcept = 0;

  // One record of Python's logging. A sink that does not keep its parts together has one record
  // for each line.
  virtual void log_application(const ApplicationRecord& record) noexcept {
    log(record.level, Message::none, record.text);
    if (!record.traceback.empty()) log(record.level, Message::none, record.traceback);
  }
};

}  // namespace pyhost::base

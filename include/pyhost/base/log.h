// Log records and where they go. No layer but apache/ knows httpd's log functions.
#pragma once

#include <string_view>

#include "pyhost/base/messages.h"

namespace pyhost::base {

// httpd's levels, in its order.
enum class LogLevel { emerg, alert, crit, error, warn, notice, info, debug, trace };

// Takes log records. Implementations are safe to call from any thread, may block on I/O and must
// not throw; callers that hold the interpreter lock release it first.
class LogSink {
 public:
  virtual ~LogSink() = default;

  // Whether a record of this level would be kept: lets callers skip building it.
  virtual bool wants(LogLevel level) const noexcept = 0;

  // One record. `text` may have several lines and any bytes; the sink escapes what its format
  // needs and never loses the end of a long text. `message` prefixes the text with its id unless
  // it is Message::none (an application's own output).
  virtual void log(LogLevel level, Message message, std::string_view text) noexcept = 0;
};

}  // namespace pyhost::base

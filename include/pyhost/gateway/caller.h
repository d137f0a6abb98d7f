// Who has something run in an interpreter.
#pragma once

#include "pyhost/base/log.h"

namespace pyhost::gateway {

// A call into Python is known by its caller, not by its thread; its records go there.
class Caller : public base::LogSink {
 public:
  // The engine imports the target's script, or waits for another call that does: this time is
  // none of the script's own. In pairs, by the thread that runs.
  virtual void import_begins() noexcept {}
  virtual void import_ended() noexcept {}
};

}  // namespace pyhost::gateway

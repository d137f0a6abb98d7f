// Signals as something to wait for.
#pragma once

#include "pyhost/base/unique_fd.h"

namespace pyhost::serve {

// From its construction on, Ctrl-C, SIGTERM and a closing terminal are not delivered but read, and
// the end of child processes too. One per process, made by main before anything else.
class StopSignals {
 public:
  StopSignals();

  // Readable when a signal has come.
  int fd() const noexcept { return fd_.get(); }

  // Reads what has come. How many of them, now and before, ask to stop.
  unsigned stops_requested() noexcept;

  // What a child process does before it becomes another program.
  static void restore_defaults() noexcept;

 private:
  base::UniqueFd fd_;
  unsigned stops_requested_ = 0;
};

}  // namespace pyhost::serve

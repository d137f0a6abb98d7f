// Signals as something to wait for.
#pragma once

#include <utility>

#include "pyhost/base/unique_fd.h"

namespace pyhost::serve {

// From its construction on, Ctrl-C, SIGTERM, a closing terminal and SIGUSR1 are not delivered but
// read, and the end of child processes too. One per process, made by main before anything else.
class StopSignals {
 public:
  StopSignals();

  // Readable when a signal has come.
  int fd() const noexcept { return fd_.get(); }

  // Reads what has come. How many of them, now and before, ask to stop.
  unsigned stops_requested() noexcept;
  // Whether SIGUSR1, which asks to reload, was among what was read since the last call.
  bool take_reload() noexcept { return std::exchange(reload_requested_, false); }

  // What a child process does before it becomes another program.
  static void restore_defaults() noexcept;

 private:
  base::UniqueFd fd_;
  unsigned stops_requested_ = 0;
  bool reload_requested_ = false;
};

}  // namespace pyhost::serve

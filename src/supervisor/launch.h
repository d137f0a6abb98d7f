// httpd's side of the supervisor: starts it and tells it what to run.
#pragma once

#include <span>
#include <string>

#include "supervisor/control_channel.h"
#include "supervisor/wanted_state.h"

namespace pyhost::supervisor {

// The program pyhost-supervisor takes the control channel as descriptor 0, httpd's main error log
// as 1 and 2, and the pid of httpd's parent as its one argument.
inline constexpr int kControlFd = 0;

// A running supervisor, as httpd's parent knows it. Both members survive a restart of httpd: they
// are to be kept outside of the module. Closing the channel, or the end of the parent, makes the
// supervisor stop all workers and leave.
struct SupervisorLink {
  pid_t pid = 0;
  base::UniqueFd control;  // close-on-exec; httpd's children close theirs
};

// Starts the program, as a child of this process in a session of its own. Failing to run it shows
// at the first send_wanted_state().
base::Result<SupervisorLink> launch_supervisor(const std::string& program, int error_log);

// Sends what is wanted over the control channel and waits for the answer. The first descriptor is
// the supervisor's own log from then on. Descriptors stay the caller's. Fails with the
// supervisor's sentences, one per line; what ran before then goes on.
base::Result<> send_wanted_state(int control, const WantedState& state,
                                 std::span<const int> descriptors);

}  // namespace pyhost::supervisor

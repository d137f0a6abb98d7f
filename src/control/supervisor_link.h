// httpd's side of the supervisor: starts it and tells it what to run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/control_channel.h"
#include "control/wanted_state.h"

namespace pyhost::control {

// The program pyhost-supervisor takes the control channel as descriptor 0 and httpd's main error
// log as 1 and 2. Its arguments are the pid of httpd's parent, whose messages alone it heeds, and
// the path of pyhost-worker.
inline constexpr int kControlFd = 0;

// A running supervisor, as httpd's parent knows it. Both members survive a restart of httpd: they
// are to be kept outside of the module. Closing the channel, or the end of the parent, makes the
// supervisor stop all workers and leave.
struct SupervisorLink {
  pid_t pid = 0;
  base::UniqueFd control;  // close-on-exec; httpd's children close theirs
};

// The programs, by absolute path.
struct Programs {
  std::string supervisor;
  std::string worker;
};

// Starts the program, as a child of this process in a session of its own. Failing to run it shows
// at the first answer.
base::Result<SupervisorLink> launch_supervisor(const Programs& programs, int error_log);

// How long an answer may take: a start that is rehearsed has a limit of its own in the supervisor,
// and one that hangs itself must not keep httpd from saying so.
inline constexpr std::chrono::seconds kAnswerPatience{60};

// Sends what is wanted, as the message of that number. Descriptors stay the caller's. The first one
// is the supervisor's own log once it has accepted the message.
base::Result<> send_wanted_state(int control, std::uint64_t number, const WantedState& state,
                                 std::span<const int> descriptors);

// Tells a supervisor, of whatever build, that it has a successor: its workers serve as long as
// there are children of httpd that know them, and then it leaves. Closing the channel still ends
// it.
base::Result<> retire(int control, std::uint64_t number);

// Tells a supervisor that what httpd wants now could not even be told, for its operators.
base::Result<> tell_refusal(int control, std::uint64_t number, std::string_view why);

// Waits for the answer to the message of that number; late ones to others are dropped. Fails when
// none comes.
base::Result<Answer> await_answer(int control, std::uint64_t number,
                                  std::chrono::milliseconds patience = kAnswerPatience);

// The same without waiting: nothing when it has not come yet.
base::Result<std::optional<Answer>> take_answer(int control, std::uint64_t number);

// The sentences of an answer, one per line.
base::Result<> outcome_of(const Answer& answer);

}  // namespace pyhost::control

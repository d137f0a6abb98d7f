// How records speak of workers.
#pragma once

#include <optional>
#include <string>

#include "remote/relay.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// "process group 'shop', slot 0, pid 4711, generation 3".
std::string name_of(const RemoteSettings& settings, const Worker& worker);

// How the worker of an attempt that has lost it has ended; waits a moment for the supervisor to
// learn that. Nothing for other attempts, and when it takes longer.
std::optional<scoreboard::Death> death_of(const scoreboard::Scoreboard& scoreboard,
                                          const Worker& worker, const Attempt& attempt);
// Why an attempt has failed.
std::string cause_of(const Attempt& attempt, const std::optional<scoreboard::Death>& death);

}  // namespace pyhost::remote

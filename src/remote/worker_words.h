// How records speak of workers.
#pragma once

#include <string>

#include "remote/relay.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// "process group 'shop', slot 0, pid 4711, generation 3".
std::string name_of(const RemoteSettings& settings, const Worker& worker);

// Why an attempt has failed. Waits a moment for the supervisor to learn how a worker has ended.
std::string cause_of(const scoreboard::Scoreboard& scoreboard, const Worker& worker,
                     const Attempt& attempt);

}  // namespace pyhost::remote

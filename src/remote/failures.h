// What a failure is counted as.
#pragma once

#include "pyhost/base/messages.h"
#include "pyhost/gateway/failure_cause.h"
#include "scoreboard/death.h"

namespace pyhost::remote {

// By the message with which it is logged; none for what is no failure of a request.
gateway::FailureCause failure_of(base::Message message) noexcept;
// Of a request that its worker has taken along.
gateway::FailureCause failure_of(const scoreboard::Death& death) noexcept;
// What a worker says of its own: one that it cannot know of is a broken worker's.
gateway::FailureCause believed_failure(gateway::FailureCause said) noexcept;

}  // namespace pyhost::remote

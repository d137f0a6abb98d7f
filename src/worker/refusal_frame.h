// How a child is told that an exchange has no complete reply.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/gateway/outcome.h"

namespace pyhost::worker {

struct Refusal {
  const gateway::Outcome& outcome;
  int status = 0;  // to answer the client with; 0 when the head has left
  std::string_view cause = {};
  gateway::FailureCause failure = gateway::FailureCause::none;
  bool last_resort = false;  // no other worker is said to have the script
};

// Appends ERROR, or RETRY where another worker is to be asked.
void encode_refusal(const Refusal& refusal, std::string& frame);

}  // namespace pyhost::worker

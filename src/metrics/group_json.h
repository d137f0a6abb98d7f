// What operators are shown of process groups.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/group_snapshot.h"

namespace pyhost::metrics {

// A configuration that was not accepted, so that what runs is that of before.
struct Refusal {
  std::string reason;         // sentences, each on a line; "" when the last one was accepted
  std::int64_t since_us = 0;  // since the epoch
};

// As control/operator_protocol.h shows it.
std::string to_json(const std::vector<GroupSnapshot>& groups, const Refusal& refusal,
                    pid_t supervisor);

}  // namespace pyhost::metrics

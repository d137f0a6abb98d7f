// The totals of a process group, as they are read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scoreboard/totals_memory.h"

namespace pyhost::scoreboard {

struct ApplicationSums {
  std::string name;  // any bytes; "" is the main interpreter
  ApplicationTotals<std::uint64_t> totals;
};

// Of all that has been added until it is read. Each number is at least what an earlier reading has
// found, but for those that may fall.
struct GroupSums {
  RequestTotals<std::uint64_t> requests;
  WorkerTotals<std::uint64_t> workers;
  std::vector<ApplicationSums> applications;  // those that have been named, by their names
  ApplicationTotals<std::uint64_t> others;    // for which there was no place
};

GroupSums sums_of(const BoardTotals& totals);

}  // namespace pyhost::scoreboard

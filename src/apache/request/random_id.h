// Ids that nobody else has.
#pragma once

#include <cstddef>
#include <string>

namespace pyhost::apache {

// So many hexadecimal digits in lower case, not all of them 0. Random bytes are taken from the
// kernel for many ids at a time, and each thread has its own. PRECONDITION: `digits` is even, at
// most 32; no process is forked off by a thread that has called this.
std::string random_id(std::size_t digits);

}  // namespace pyhost::apache

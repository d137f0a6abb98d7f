// A certificate for development.
#pragma once

#include <string>
#include <vector>

#include "pyhost/base/result.h"

namespace pyhost::serve {

// Makes a certificate for these hosts with its key in one file, readable by its owner alone, unless
// it is there already. `openssl` does that; fails with a sentence when it is missing or cannot.
base::Result<> make_self_signed(const std::string& file, const std::vector<std::string>& hosts);

}  // namespace pyhost::serve

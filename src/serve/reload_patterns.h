// Which files an application is loaded anew for.
#pragma once

#include <string>
#include <vector>

namespace pyhost::serve {

// Patterns for reload-on= that find the Python files in the folders and all below them, without
// hidden ones, virtualenvs and what tools of JavaScript install. A folder that comes into one of
// them later is not found. Looks into the folders.
std::vector<std::string> python_patterns(const std::vector<std::string>& folders);

}  // namespace pyhost::serve

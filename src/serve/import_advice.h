// What else may have been meant by a target that cannot be imported.
#pragma once

#include <string>

#include "serve/site.h"

namespace pyhost::serve {

// A sentence about the failure of an import, with where modules were looked for when the target's
// own was not found, and the target that was probably meant: "did you mean shop.wsgi:application?".
// Looks into the folders of the path.
std::string with_advice(const std::string& failure, const Site& site);

}  // namespace pyhost::serve

// What the threads of a process group do, for the page of pyhost-status.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::apache {

// As `pyhost dump` shows it: the supervisor is asked, at the socket that WSGIStatusStacks opens to
// httpd's children, and waited for, for some seconds at most. Fails with a sentence.
base::Result<std::string> stacks_text(const std::string& group);

}  // namespace pyhost::apache

// The environment of the workers of a group.
#pragma once

#include <string>
#include <vector>

#include "launch/credentials.h"
#include "pyhost/base/result.h"

namespace pyhost::launch {

// NAME=value entries, each name once: those of `inherited`; HOME (and USER and LOGNAME, if they are
// inherited) of the worker's user; LANG, LC_ALL and PYTHON_EGG_CACHE; the lines of `env_text`,
// which env-file= has; env=; LC_CTYPE where nothing else names a locale. A later source wins. Fails
// with a sentence for a text that is not understood.
base::Result<std::vector<std::string>> worker_environment(const settings::ProcessGroup& group,
                                                          const Credentials& credentials,
                                                          const char* const* inherited,
                                                          const std::string& env_text);

}  // namespace pyhost::launch

// The options of a process group on their way between processes. For the sources of this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "pyhost/base/result.h"
#include "settings/process_group.h"

namespace pyhost::control {

// Those that have not their defaults: [["threads", "5"], ...], as WSGIDaemonProcess has them.
nlohmann::json options_json(const settings::ProcessGroup& group);

// Sets them. Fails with a sentence for what options_json() does not make, and for a value that is
// not accepted.
base::Result<> read_options(const nlohmann::json& options, settings::ProcessGroup& group);

}  // namespace pyhost::control

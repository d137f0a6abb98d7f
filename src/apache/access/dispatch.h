// WSGIDispatchScript: a script that says what is to run a request.
#pragma once

#include <tl/expected.hpp>

#include "apache/httpd_api.h"
#include "apache/request/refusal.h"
#include "settings/settings.h"

namespace pyhost::apache {

// Replaces in `settings` what the script that is in force says: process group, application group,
// callable; to be expanded and restricted as what the configuration says. A script that gives no
// answer refuses the request.
tl::expected<void, Refusal> dispatch(request_rec* r, settings::RequestSettings& settings);

}  // namespace pyhost::apache

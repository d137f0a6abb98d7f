// The refusals of httpd's side have httpd's names for their statuses.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/refusal.h"

namespace pyhost::apache {

using gateway::Refusal;

}  // namespace pyhost::apache

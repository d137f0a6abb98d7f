// What mod_wsgi.server_metrics() gives.
#pragma once

#include "pyhost/gateway/server_view.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::pyapi {

// A new dictionary, or None; null with an exception pending.
python::Ref server_figures(python::Attached& py, const gateway::ServerView& view);

}  // namespace pyhost::pyapi

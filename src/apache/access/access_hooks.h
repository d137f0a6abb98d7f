// The hooks in which httpd decides who may have what.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// For a section without hook scripts each costs a look into its configuration.
void register_access_hooks(apr_pool_t* pool);

}  // namespace pyhost::apache

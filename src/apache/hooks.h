// What the module does in httpd's life.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// For the module record.
void register_hooks(apr_pool_t* pool);

}  // namespace pyhost::apache

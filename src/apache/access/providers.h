// The providers `wsgi` of mod_auth_basic, mod_auth_digest and mod_authz_core.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

void register_providers(apr_pool_t* pool);

}  // namespace pyhost::apache

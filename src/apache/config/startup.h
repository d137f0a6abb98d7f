// What is checked and set up in httpd's parent, before there are children.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// check_config: also for httpd -t.
int check_configuration(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s);

// post_config.
int prepare_children(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s);

}  // namespace pyhost::apache

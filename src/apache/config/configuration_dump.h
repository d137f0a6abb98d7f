// The configuration as it is in effect, for whoever asks httpd for it.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// test_config: httpd -t -D DUMP_PYHOST shows the effective settings of every virtual host.
void dump_configuration(apr_pool_t* pool, server_rec* s);

}  // namespace pyhost::apache

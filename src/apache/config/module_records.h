// What httpd is given to create and merge the module's configuration records.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

void* create_directory_config(apr_pool_t* pool, char* directory);
void* merge_directory_config(apr_pool_t* pool, void* parent, void* child);
void* create_server_config(apr_pool_t* pool, server_rec* s);
void* merge_server_config(apr_pool_t* pool, void* parent, void* child);

}  // namespace pyhost::apache

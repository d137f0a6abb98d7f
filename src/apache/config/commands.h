// httpd's command table, made from the directive table.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// Ends with an entry without a name; static storage.
const command_rec* command_table();

}  // namespace pyhost::apache

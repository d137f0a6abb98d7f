// The directory sections of the configuration.
#pragma once

#include <vector>

#include "apache/httpd_api.h"

namespace pyhost::apache {

struct DirectoryConfig;

// <Directory>, <Location> and their like of a server, with the <Files> and <If> inside them, and
// those outside of any.
std::vector<const ap_conf_vector_t*> sections_of(const server_rec* s);

// The module's record for a section; httpd makes none for one without a directive of the module.
const DirectoryConfig* directory_config_or_null(const ap_conf_vector_t* section);

}  // namespace pyhost::apache

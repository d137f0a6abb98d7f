// Where httpd is in its life.
#pragma once

#include <string>

namespace pyhost::apache {

// httpd reads its configuration twice when it starts, the first time only to check it; so does
// httpd -t, which ends then. No restart does.
bool is_only_a_check();

// Whether httpd has been serving with another configuration: what goes wrong then must not end it.
// Of use once the MPM has been chosen, from check_config on.
bool is_restart();

// "2.4.62".
std::string httpd_version();

}  // namespace pyhost::apache

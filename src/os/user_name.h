// Users as people know them.
#pragma once

#include <sys/types.h>

#include <string>

namespace pyhost::os {

// "shop", or "#1001" when the system has no name for it. May ask the network, as the system's list
// of users does.
std::string name_of_user(uid_t uid);

}  // namespace pyhost::os

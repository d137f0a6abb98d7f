// The generated pages of the documentation, rendered from the directive table and the messages.
#pragma once

#include <string>

namespace pyhost::gateway {

// docs/DIRECTIVES.md.
std::string directives_page();

// conf/reference.conf: every directive with its default, commented out.
std::string reference_conf();

// docs/MESSAGES.md.
std::string messages_page();

}  // namespace pyhost::gateway

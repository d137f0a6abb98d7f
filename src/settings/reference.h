// The generated pages of the documentation, rendered from the tables of directives, of
// process group options and of messages.
#pragma once

#include <string>

namespace pyhost::settings {

// docs/DIRECTIVES.md.
std::string directives_page();

// conf/reference.conf: every directive with its default, commented out.
std::string reference_conf();

// docs/PROCESS_GROUPS.md: every option of WSGIDaemonProcess.
std::string process_groups_page();

// docs/MESSAGES.md.
std::string messages_page();

}  // namespace pyhost::settings

// Finds out, before httpd starts, whether Python and the workers could be started.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "apache/check/findings.h"

namespace pyhost::apache {

// The plugins of process groups that have a Python home, by the names of the groups; "" is httpd's
// children.
using StartPythons = std::map<std::string, std::string, std::less<>>;

// What may belong to a group's own user is looked at with that user's rights, by processes that
// nobody waits for longer than ten seconds; so is WSGIPythonHome, with those of httpd's children.
// PRECONDITION: check_process_groups() has run. Gives which Python they have.
StartPythons check_starts(Findings& findings);

// The version of Python that httpd's own children run, or would; "" when there is none, or when
// WSGIPythonHome, which is looked at in the same way, fits no plugin.
std::string embedded_python();

}  // namespace pyhost::apache

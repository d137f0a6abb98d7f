// What Python takes in the children of a httpd that runs.
#pragma once

#include <string>

namespace pyhost::apache {

// "of about 48 MiB each, as the running httpd has them": the memory of its own that a child with
// Python has at the moment, of the httpd that the configuration's PidFile names. "" when none runs,
// or none has Python.
std::string describe_embedded_memory();

}  // namespace pyhost::apache

// Has what is measured with the package prometheus_client kept as mod_wsgi's own metrics are.
#pragma once

#include "python/attached.h"

namespace pyhost::pyapi {

// Gives prometheus_client.values another ValueClass: at once when it is imported already, otherwise
// when it will be. The package makes a value of that class for each sample of a counter, gauge,
// histogram or summary, and calls inc(), set(), get(), set_exemplar() and get_exemplar(). What
// cannot be kept stays in the process, as without this. False with an exception pending.
bool install_prometheus_values(python::Attached& py, PyObject* module);

}  // namespace pyhost::pyapi

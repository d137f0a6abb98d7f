// The parts of metrics that are easier said in Python: what `with` and decorators take.
#pragma once

#include "python/ref.h"

namespace pyhost::pyapi {

// Such an object: of `tool`, which is Timer, ExceptionCounter or InProgress, for bound methods and
// whatever else it takes, as for PyObject_CallFunction(). Null with an exception pending.
python::Ref make_metric_tool(PyObject* module, const char* tool, PyObject* first,
                             PyObject* second_or_null);

}  // namespace pyhost::pyapi

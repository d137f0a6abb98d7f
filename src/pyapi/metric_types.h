// What applications measure with: mod_wsgi.counter() and its like.
#pragma once

#include "python/attached.h"

namespace pyhost::pyapi {

// Adds to the module `mod_wsgi`:
//   Counter, Gauge, Histogram         the types of what the next three return
//   counter(name, help="", labels=())
//   gauge(name, help="", labels=(), merge="sum")
//   histogram(name, help="", labels=(), buckets=...)
// One that is asked for again is the same series. ValueError says which name or number is none.
// False with an exception pending.
bool add_metric_types(python::Attached& py, PyObject* module);

}  // namespace pyhost::pyapi

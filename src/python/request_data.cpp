#include "python/request_data.h"

#include <utility>

namespace pyhost::python {

Ref RequestData::get(Attached&) {
  if (over_) return Ref::steal(refuse_without_request());
  if (!data_) data_ = Ref::steal(PyDict_New());
  return data_.clone();
}

void RequestData::end(Attached&) noexcept {
  over_ = true;
  // What is in it may have code that runs when it goes.
  const Ref dropped = std::move(data_);
}

PyObject* refuse_without_request() {
  PyErr_SetString(PyExc_RuntimeError, "no application serves a request in this context");
  return nullptr;
}

}  // namespace pyhost::python

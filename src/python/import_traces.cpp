#include "python/import_traces.h"

#include "python/error.h"

namespace pyhost::python {

ImportTraces::ImportTraces(Attached& py)
    : before_(Ref::steal(PyObject_CallMethod(py.interpreter().support(), "imported", nullptr))) {
  if (!before_) discard_error(py);
}

void ImportTraces::erase(Attached& py) const noexcept {
  if (!before_) return;
  const Ref done = Ref::steal(
      PyObject_CallMethod(py.interpreter().support(), "forget_since", "(O)", before_.get()));
  if (!done) discard_error(py);
}

}  // namespace pyhost::python

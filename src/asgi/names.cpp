#include "asgi/names.h"

#include "python/error.h"

namespace pyhost::asgi {

base::Result<Names> Names::make(python::Attached& py) {
  Names names;
#define PH_ASGI_NAME(identifier, text) \
  names.identifier = python::Ref::steal(PyUnicode_InternFromString(text));
#include "asgi/names.def"
#undef PH_ASGI_NAME
  if (PyErr_Occurred() != nullptr) return base::fail(python::PythonError::take(py).summary(py));
  return names;
}

}  // namespace pyhost::asgi

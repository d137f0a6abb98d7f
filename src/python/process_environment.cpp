#include "python/process_environment.h"

#include <unistd.h>

#include <string_view>

#include "python/error.h"

namespace pyhost::python {

ProcessEnvironment ProcessEnvironment::copy() {
  ProcessEnvironment copied;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto sign = text.find('=');
    if (sign == text.npos) continue;
    copied.entries_.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return copied;
}

base::Result<> ProcessEnvironment::show_in(Attached& py) const {
  const auto failed = [&] {
    return base::fail("os.environ cannot be set: " + PythonError::take(py).summary(py));
  };
  // What os.environ and os.environb keep their entries in.
  const Ref posix = Ref::steal(PyImport_ImportModule("posix"));
  const Ref shown = Ref::steal(posix ? PyObject_GetAttrString(posix.get(), "environ") : nullptr);
  if (!shown) return failed();
  PyDict_Clear(shown.get());
  for (const auto& [name, value] : entries_) {
    const Ref key = Ref::steal(PyBytes_FromStringAndSize(name.data(), Py_ssize_t(name.size())));
    const Ref text = Ref::steal(PyBytes_FromStringAndSize(value.data(), Py_ssize_t(value.size())));
    // Of a name that is there twice, getenv() finds the first.
    if (!key || !text || PyDict_SetDefault(shown.get(), key.get(), text.get()) == nullptr) {
      return failed();
    }
  }
  return {};
}

}  // namespace pyhost::python

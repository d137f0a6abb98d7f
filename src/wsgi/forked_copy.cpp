#include "wsgi/forked_copy.h"

#include <unistd.h>

#include "os/fork_watch.h"
#include "python/error.h"
#include "wsgi/failure_report.h"

namespace pyhost::wsgi {
namespace {

using python::Attached;
using python::PythonError;
using python::Ref;

// As the interpreter itself ends for a SystemExit: None is success, a number is the code.
int exit_code_of(Attached& py, const PythonError& exit) {
  const Ref code = Ref::steal(PyObject_GetAttrString(exit.value(), "code"));
  if (code.get() == Py_None) return 0;
  if (!code || !PyLong_Check(code.get())) {
    python::discard_error(py);
    return 1;
  }
  const long number = PyLong_AsLong(code.get());
  python::discard_error(py);
  return static_cast<int>(number & 0xff);
}

int exit_code_after_failure(Attached& py, Request& request, PyObject* request_timeout) {
  PythonError error = PythonError::take(py);
  if (error.is(PyExc_SystemExit)) return exit_code_of(py, error);
  std::move(error).restore(py);
  report_failure(py, request, request_timeout, nullptr);
  return 1;
}

}  // namespace

void leave_if_forked(Attached& py, Request& request, PyObject* request_timeout) {
  if (!os::ForkWatch::in_forked_process()) return;
  const bool failed = PyErr_Occurred() != nullptr;
  const int code = failed ? exit_code_after_failure(py, request, request_timeout) : 0;
  request.logs().flush();
  ::_exit(code);
}

}  // namespace pyhost::wsgi

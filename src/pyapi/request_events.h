// Tells functions that applications have subscribed what becomes of requests.
#pragma once

#include "pyapi/place.h"
#include "python/request_observer.h"

namespace pyhost::pyapi {

// One for each interpreter, which it lives as long as. Publishes, with the payload that it has in
// mod_wsgi: request_started, response_started, request_exception and request_finished.
class RequestEvents final : public python::RequestObserver {
 public:
  // `module` is mod_wsgi.
  RequestEvents(PyObject* module, Place place);

  // Whether any function is subscribed. Costs one look into a dictionary.
  bool has_subscribers(python::Attached& py) const noexcept;

  python::Ref request_starts(python::Attached& py, const python::ObservedRequest& request,
                             PyObject* application, PyObject* environ) noexcept override;
  void response_starts(python::Attached& py, const python::ObservedRequest& request,
                       PyObject* status, PyObject* headers,
                       PyObject* exc_info_or_null) noexcept override;
  void application_raised(python::Attached& py, const python::ObservedRequest& request,
                          const python::PythonError& error) noexcept override;
  void request_ends(python::Attached& py, const python::ObservedRequest& request) noexcept override;

 private:
  // Null when there is none, or no memory.
  python::Ref callbacks(python::Attached& py) const noexcept;

  const python::Ref names_;  // the module's dictionary
  const python::Ref list_name_;
  const Place place_;
};

}  // namespace pyhost::pyapi

// Who is told what becomes of requests.
#pragma once

#include <string_view>

#include "pyhost/gateway/request_head.h"
#include "python/attached.h"
#include "python/error.h"
#include "python/ref.h"
#include "python/request_data.h"
#include "python/request_meter.h"

namespace pyhost::python {

// A request that an application serves, for whoever is told of it.
struct ObservedRequest {
  const gateway::RequestHead& head;
  std::string_view callable;  // its name
  RequestData& data;
  const RequestMeter& meter;
  int status = 0;  // of the last call of start_response(); 0 before it
};

// None of these leaves an exception pending. They run code of the application.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;

  // The application is about to be called with that environ. Gives what is to be called in its
  // place, or null.
  virtual Ref request_starts(Attached& py, const ObservedRequest& request, PyObject* application,
                             PyObject* environ) noexcept = 0;
  // start_response() was called with these, which nobody has looked at yet. By any thread.
  virtual void response_starts(Attached& py, const ObservedRequest& request, PyObject* status,
                               PyObject* headers, PyObject* exc_info_or_null) noexcept = 0;
  // The application has raised that, which was logged.
  virtual void application_raised(Attached& py, const ObservedRequest& request,
                                  const PythonError& error) noexcept = 0;
  // Its response was closed; the meter has finished.
  virtual void request_ends(Attached& py, const ObservedRequest& request) noexcept = 0;
};

}  // namespace pyhost::python

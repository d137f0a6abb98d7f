// Who is told what becomes of requests.
#pragma once

#include <memory>
#include <string_view>

#include "pyhost/gateway/outcome.h"
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
  int status = 0;  // of the last head that the application has given; 0 before it
  enum class Kind { wsgi, asgi };
  Kind kind = Kind::wsgi;
};

// None of these leaves an exception pending. They run code of the application.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;

  // The application is about to be called with that environ, or scope. Gives what is to be called
  // in its place, or null.
  virtual Ref request_starts(Attached& py, const ObservedRequest& request, PyObject* application,
                             PyObject* environ) noexcept = 0;
  // The application has begun its reply with these, which nobody has looked at yet. By any thread.
  virtual void response_starts(Attached& py, const ObservedRequest& request, PyObject* status,
                               PyObject* headers, PyObject* exc_info_or_null) noexcept = 0;
  // The application has raised that, which was logged.
  virtual void application_raised(Attached& py, const ObservedRequest& request,
                                  const PythonError& error) noexcept = 0;
  // Its response was closed, or its task has ended; the meter has finished.
  virtual void request_ends(Attached& py, const ObservedRequest& request) noexcept = 0;
};

// A request that is in a register, from when it is entered to its end.
class RegisteredRequest {
 public:
  virtual ~RegisteredRequest() = default;

  // Null where nobody wants to be told.
  virtual RequestObserver* observer_or_null() const noexcept = 0;
  // Whether somebody wants to know what it takes.
  virtual bool is_measured() const noexcept = 0;
  // The application has done its work: the request runs no more, and its data is let go of.
  virtual void leave(Attached& py) noexcept = 0;
  // Once, at its end. The status is that of the response that was started, 0 for none.
  virtual void count(const gateway::RequestHead& head, const gateway::Outcome& outcome, int status,
                     const RequestMeter* meter_or_null) noexcept = 0;
};

// Of an interpreter: the requests that its event loop has. Belongs to the loop's thread.
class RequestRegister {
 public:
  virtual ~RequestRegister() = default;

  // Head and data outlive what it gives. Throws std::bad_alloc.
  virtual std::unique_ptr<RegisteredRequest> enter(Attached& py, const gateway::RequestHead& head,
                                                   RequestData& data) = 0;
};

}  // namespace pyhost::python

// Calls WSGI applications.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/error.h"
#include "python/log_stream.h"
#include "python/ref.h"
#include "wsgi/environ.h"
#include "wsgi/request.h"
#include "wsgi/start_response.h"

namespace pyhost::wsgi {

// The WSGI side of one interpreter: its types and its environ factory. Serves any number of
// threads; lives until the process ends.
class Adapter {
 public:
  static base::Result<Adapter> make(python::Attached& py, const gateway::EngineSettings& settings,
                                    python::LogStreams streams);

  python::LogStreams& streams() noexcept { return streams_; }
  EnvironFactory& environs() noexcept { return environs_; }

  // Runs `application` for the request, in the calling thread's context, with that wsgi.errors;
  // sends what it produces, calls close() and drops every object it made. What may be sent without
  // Python is left to Request::finish(). Failures are logged and noted in the request.
  void run(python::Attached& py, PyObject* application, Request& request, PyObject* errors_or_null);

  // What ends a request that is interrupted from outside: mod_wsgi.RequestTimeout.
  PyObject* request_timeout() const noexcept { return request_timeout_.get(); }
  PyObject* file_wrapper_type() const noexcept { return file_wrapper_type_.get(); }

 private:
  Adapter(python::Ref input, python::Ref start_response, python::Ref file_wrapper,
          python::Ref request_timeout, python::Ref close_name, EnvironFactory environs,
          python::LogStreams streams)
      : input_type_(std::move(input)),
        start_response_type_(std::move(start_response)),
        file_wrapper_type_(std::move(file_wrapper)),
        request_timeout_(std::move(request_timeout)),
        close_name_(std::move(close_name)),
        environs_(std::move(environs)),
        streams_(std::move(streams)) {}

  void serve(python::Attached& py, PyObject* application, Request& request,
             PyObject* errors_or_null);
  python::Ref call(python::Attached& py, PyObject* application, Request& request,
                   PyObject* errors_or_null);
  bool deliver(python::Attached& py, PyObject* result, Request& request);
  bool deliver_all(python::Attached& py, std::span<const python::Ref> blocks, bool closes,
                   Request& request);
  // Null at the end, and with an exception pending.
  python::Ref next_block(python::Attached& py, PyObject* iterator, Request& request);
  bool deliver_each(python::Attached& py, PyObject* result, PyObject* iterator, Request& request);
  bool close(python::Attached& py, PyObject* result, Request& request);

  python::Ref input_type_;
  python::Ref start_response_type_;
  python::Ref file_wrapper_type_;
  python::Ref request_timeout_;
  python::Ref close_name_;
  EnvironFactory environs_;
  python::LogStreams streams_;
  ScriptNames told_;
};

}  // namespace pyhost::wsgi

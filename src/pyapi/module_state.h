// The C++ side of the module mod_wsgi.
#pragma once

#include <atomic>

#include "pyapi/measurements.h"
#include "pyapi/place.h"
#include "pyapi/recorder.h"
#include "pyapi/request_data.h"
#include "pyapi/request_events.h"
#include "pyhost/gateway/logging.h"
#include "pyhost/gateway/server_view.h"
#include "python/attached.h"
#include "python/interpreter.h"
#include "python/ref.h"

namespace pyhost::pyapi {

// What the functions of the module share with the requests of its interpreter, as long as which it
// lives.
class ModuleState {
 public:
  ModuleState(python::Interpreter& own_interpreter, Recorder& process_recorder,
              Measurements& process_measurements, Place own_place, unsigned request_threads_max,
              const gateway::ServerView* server_or_null, python::Ref raw_ambient, PyObject* module,
              const gateway::Logging& own_logging)
      : interpreter(own_interpreter),
        recorder(process_recorder),
        measurements(process_measurements),
        place(own_place),
        threads_max(request_threads_max),
        server_view_or_null(server_or_null),
        logging(own_logging),
        stream(std::move(raw_ambient)),
        events(module, own_place) {}

  python::Interpreter& interpreter;
  Recorder& recorder;          // of the process
  Measurements& measurements;  // the same
  const Place place;
  const unsigned threads_max;
  const gateway::ServerView* const server_view_or_null;
  const gateway::Logging logging;
  const python::Ref stream;  // of LogStreams::make_raw_ambient()
  RequestEvents events;
  ActiveRequests active_requests;

  // Whether somebody has subscribed to what becomes of requests.
  bool observes(python::Attached& py) noexcept {
    const bool observes = events.has_subscribers(py);
    if (observes != is_observed()) observed_.store(observes, std::memory_order_relaxed);
    return observes;
  }
  // What that said last; without the interpreter.
  bool is_observed() const noexcept { return observed_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> observed_ = false;
};

// PRECONDITION: `module` is mod_wsgi, as install_module() has made it.
ModuleState& state_of(PyObject* module) noexcept;

}  // namespace pyhost::pyapi

// What all exchanges of one event loop share.
#pragma once

#include <cstddef>
#include <vector>

#include "asgi/names.h"
#include "asgi/scope.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/event_loops.h"
#include "pyhost/gateway/logging.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/log_stream.h"
#include "python/ref.h"
#include "python/request_observer.h"

namespace pyhost::asgi {

// What an interpreter has for its loop whether that runs or not; lives as long as it.
struct LoopInputs {
  python::Interpreter& interpreter;
  python::LogStreams& streams;
  python::RequestRegister& requests;
  gateway::Logging logging;
  gateway::Scopes kind_of_scopes;
};

// Made on the loop's thread, and lives until the process ends. The interpreter's lock protects it.
struct LoopParts {
  // `loop` is the event loop itself.
  static base::Result<LoopParts> make(python::Attached& py, const LoopInputs& inputs,
                                      const Names& names, python::Ref loop);

  // Whether the calling thread is the loop's; otherwise RuntimeError is pending.
  bool is_called_on_loop() const;
  // A future of the loop; null with an exception pending.
  python::Ref new_future() const;
  // A task that runs what the call of an application has given, in the current context.
  python::Ref new_task(PyObject* awaitable) const;

  python::Interpreter& interpreter;
  python::LogStreams& streams;
  python::RequestRegister& requests;
  gateway::Logging logging;
  const Names& names;
  gateway::HttpSpec http_spec;
  ScopeFactory scopes;
  unsigned long thread;  // Python's number of it
  python::Ref loop;
  python::Ref create_future, create_task;  // its methods
  python::Ref as_coroutine;                // of support.h
  python::Ref context;                     // as it is on the loop's thread
  python::Ref cancelled_error;             // asyncio's type
  python::Ref client_disconnected;         // ours, of OSError
  // Names of methods of futures and tasks.
  python::Ref add_done_callback, cancel, done, result, set_result;
  // Heap types of this layer.
  python::Ref handle_type, receive_type, send_type, lifespan_handle_type, lifespan_receive_type,
      lifespan_send_type;
  // What all WebSockets have from their clients and their applications have not received.
  std::size_t unread_bytes = 0;
};

// What an application's call gives; null with an exception pending.
python::Ref call_application(PyObject* application, gateway::Protocol protocol, PyObject* scope,
                             const python::Ref& receive, const python::Ref& send);

// Futures of calls that wait until something has happened.
class Waiters {
 public:
  // A new one; null with an exception pending.
  python::Ref add(const LoopParts& parts);
  // All of them go on. Leaves a pending exception as it is.
  void wake(python::Attached& py, const LoopParts& parts);

 private:
  std::vector<python::Ref> futures_;
};

}  // namespace pyhost::asgi

// Text streams that end in httpd's error log: sys.stderr, sys.stdout and wsgi.errors.
#pragma once

#include <optional>
#include <vector>

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/output_logs.h"
#include "python/ref.h"
#include "python/request_link.h"
#include "python/served_request.h"

namespace pyhost::python {

// wsgi.errors of one request: an io.TextIOWrapper, and the mod_wsgi.Log below it.
struct RequestStream {
  Ref text;
  Ref raw;
};

// What prints to the log is an io.TextIOWrapper (UTF-8, line buffered, written through), because
// libraries look for one; its `buffer` is of the type `mod_wsgi.Log`: write, flush, close, closed,
// readable, writable, seekable, isatty, fileno (io.UnsupportedOperation), name and mode, a virtual
// subclass of io.RawIOBase. close() does nothing. One per interpreter, whose lock protects it.
class LogStreams {
 public:
  // `levels` are those of what is printed.
  static base::Result<LogStreams> make(Attached& py, const gateway::Logging& levels);

  // A text stream to the log of whatever request the writer's context belongs to, while that lives;
  // otherwise to the server's log.
  Ref make_ambient(Attached& py, const char* name, Output output) const;
  // What such a stream is over: for whoever wants the request of a context, and prints nothing.
  Ref make_raw_ambient(Attached& py, const char* name, Output output = Output::errors) const;

  // A stream to one request's log; once the link is closed, a write raises RuntimeError. What an
  // application serves is known by it, too, and lives as long as the link is open. Without members,
  // and with an exception pending, when there is no memory.
  RequestStream take(Attached& py, SharedRequestLink link, OutputLogs& logs,
                     ServedRequest* served_or_null);
  // When the request's code is done. A stream that it has left alone is there for the next one:
  // most applications never write to it, and making it costs more than their other objects.
  void give_back(Attached& py, RequestStream stream) noexcept;

  // The calling thread's context belongs to the request of that stream. False with an exception
  // pending.
  bool enter(Attached& py, const RequestStream& stream) const;

 private:
  // As many as requests may run at a time in most processes.
  static constexpr std::size_t kSpareMax = 32;

  LogStreams(Ref raw_type, Ref wrapper, Ref options, Ref variable, const gateway::Logging& levels)
      : raw_type_(std::move(raw_type)),
        wrapper_(std::move(wrapper)),
        options_(std::move(options)),
        request_stream_(std::move(variable)),
        levels_(levels) {
    spare_.reserve(kSpareMax);
  }

  Ref text_over(Attached& py, PyObject* raw_or_null) const;

  Ref raw_type_;
  Ref wrapper_;         // io.TextIOWrapper
  Ref options_;         // its keyword arguments
  Ref request_stream_;  // a ContextVar
  gateway::Logging levels_;
  std::vector<RequestStream> spare_;
};

// Where records of the caller, which is a function that Python has called, belong: in the log of
// the request that its context belongs to, while that lives, or else in the server's. That request
// waits for its end. Usable by the thread that made it, attached.
class ContextLog {
 public:
  // `raw_ambient` is of make_raw_ambient().
  explicit ContextLog(PyObject* raw_ambient);

  base::LogSink& sink() const noexcept { return *sink_; }
  Attached& py() noexcept { return py_; }

 private:
  CalledByPython py_;
  SharedRequestLink link_;
  std::optional<RequestLink::Use> use_;
  base::LogSink* sink_;
};

// The request that an application serves in the context of the caller, which is a function that
// Python has called: the request waits for its end. Usable by the thread that made it, attached.
class ContextRequest {
 public:
  // Whether RuntimeError is pending where there is no request.
  enum class Absence { refused, accepted };

  // `raw_ambient` is of make_raw_ambient().
  explicit ContextRequest(PyObject* raw_ambient, Absence absence = Absence::refused);

  explicit operator bool() const noexcept { return served_ != nullptr; }
  ServedRequest* operator->() const noexcept { return served_; }
  Attached& py() noexcept { return py_; }

 private:
  CalledByPython py_;
  SharedRequestLink link_;
  std::optional<RequestLink::Use> use_;
  ServedRequest* served_ = nullptr;
};

}  // namespace pyhost::python

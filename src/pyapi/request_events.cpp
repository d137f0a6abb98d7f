#include "pyapi/request_events.h"

#include "base/out_of_memory.h"
#include "base/parse.h"
#include "pyapi/events.h"
#include "pyapi/request_data.h"
#include "pyhost/gateway/http_status.h"
#include "python/compat.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::ObservedRequest;
using python::PythonError;
using python::Ref;
using python::RequestMeter;

constexpr double kMicroseconds = 1e6;

double seconds_of(std::int64_t microseconds) noexcept {
  return double(microseconds) / kMicroseconds;
}

std::uint64_t server_of(const gateway::RequestHead& head) noexcept {
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == gateway::EnvironKey::wsgi_server_pid) {
      return base::parse_unsigned(entry.value).value_or(0);
    }
  }
  return 0;
}

void add_id(const gateway::RequestHead& head, Dictionary& payload) {
  const std::string_view id = id_of(head);
  if (!id.empty()) payload.set("request_id", id);
}

void add_origin(const gateway::RequestHead& head, Dictionary& payload) {
  payload.set("thread_id", python::current_thread_number());
  payload.set("server_pid", server_of(head));
  payload.set("request_start", seconds_of(head.start_us));
  payload.set("queue_start", seconds_of(head.queue_start_us));
  payload.set("daemon_start", seconds_of(head.worker_start_us));
}

void add_tally(const python::Tally& tally, Dictionary& payload, const char* times,
               const char* bytes, const char* time) {
  payload.set(times, tally.times());
  payload.set(bytes, tally.bytes());
  payload.set(time, base::seconds(tally.time()));
}

void add_processor_time(const RequestMeter& meter, Dictionary& payload) {
  const python::ProcessorTime& used = meter.processor_time();
  payload.set("cpu_user_time", seconds_of(used.user_us));
  payload.set("cpu_system_time", seconds_of(used.system_us));
  payload.set("cpu_time", seconds_of(used.total_us()));
}

void add_figures(const RequestMeter& meter, Dictionary& payload) {
  payload.set("application_finish", seconds_of(meter.finish_us()));
  payload.set("application_time", seconds_of(meter.finish_us() - meter.start_us()));
  add_tally(meter.input, payload, "input_reads", "input_length", "input_time");
  add_tally(meter.output, payload, "output_writes", "output_length", "output_time");
  add_processor_time(meter, payload);
  payload.set("gil_wait_time", base::seconds(meter.waits.time()));
  payload.set("gil_wait_count", meter.waits.times());
}

void publish_if_memory_allows(Attached& py, const char* event, const Ref& callbacks,
                              Dictionary& payload) {
  base::if_memory_allows([&] { publish(py, event, callbacks.get(), payload); });
  python::discard_error(py);
}

// As sys.exc_info() has it.
Ref exc_info_of(const PythonError& error) {
  PyObject* const value = error.value();
  const Ref traceback = Ref::steal(PyException_GetTraceback(value));
  return Ref::steal(PyTuple_Pack(3, Py_TYPE(value), value, traceback ? traceback.get() : Py_None));
}

}  // namespace

RequestEvents::RequestEvents(PyObject* module, Place place)
    : names_(Ref::share(PyModule_GetDict(module))),
      list_name_(Ref::steal(PyUnicode_InternFromString("event_callbacks"))),
      place_(place) {}

Ref RequestEvents::callbacks(Attached& py) const noexcept {
  if (!list_name_) return {};
  Ref list = python::get_item(names_.get(), list_name_.get());
  if (!list) python::discard_error(py);
  return list;
}

bool RequestEvents::has_subscribers(Attached& py) const noexcept {
  const Ref list = callbacks(py);
  return list && PyList_Check(list.get()) && PyList_GET_SIZE(list.get()) != 0;
}

Ref RequestEvents::request_starts(Attached& py, const ObservedRequest& request,
                                  PyObject* application, PyObject* environ) noexcept {
  constexpr char kApplication[] = "application_object";
  const Ref list = callbacks(py);
  if (!list) return {};
  Dictionary payload;
  add_id(request.head, payload);
  add_origin(request.head, payload);
  payload.set("application_start", seconds_of(request.meter.start_us()));
  payload.set("daemon_connects", place_ == Place::worker ? 1 : 0);
  payload.set("daemon_restarts", 0);
  payload.set("callable_object", request.callable);
  payload.set(kApplication, Ref::share(application));
  const bool is_asgi = request.kind == ObservedRequest::Kind::asgi;
  payload.set(is_asgi ? "request_scope" : "request_environ", Ref::share(environ));
  payload.set("request_data", request.data.get(py));
  publish_if_memory_allows(py, "request_started", list, payload);
  if (payload.get() == nullptr) return {};
  return Ref::share(PyDict_GetItemString(payload.get(), kApplication));
}

void RequestEvents::response_starts(Attached& py, const ObservedRequest& request, PyObject* status,
                                    PyObject* headers, PyObject* exc_info_or_null) noexcept {
  const Ref list = callbacks(py);
  if (!list) return;
  Dictionary payload;
  add_id(request.head, payload);
  payload.set("response_status", Ref::share(status));
  payload.set("response_headers", Ref::share(headers));
  payload.set("exception_info",
              Ref::share(exc_info_or_null != nullptr ? exc_info_or_null : Py_None));
  payload.set("request_data", request.data.get(py));
  publish_if_memory_allows(py, "response_started", list, payload);
}

void RequestEvents::application_raised(Attached& py, const ObservedRequest& request,
                                       const PythonError& error) noexcept {
  const Ref list = callbacks(py);
  if (!list) return;
  Dictionary payload;
  add_id(request.head, payload);
  payload.set("exception_info", exc_info_of(error));
  payload.set("request_data", request.data.get(py));
  publish_if_memory_allows(py, "request_exception", list, payload);
}

void RequestEvents::request_ends(Attached& py, const ObservedRequest& request) noexcept {
  const Ref list = callbacks(py);
  if (!list) return;
  Dictionary payload;
  add_id(request.head, payload);
  add_origin(request.head, payload);
  add_figures(request.meter, payload);
  payload.set("status", request.status != 0 ? request.status : gateway::kInternalServerError);
  payload.set("request_data", request.data.get(py));
  publish_if_memory_allows(py, "request_finished", list, payload);
}

}  // namespace pyhost::pyapi

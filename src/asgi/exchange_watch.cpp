#include "asgi/exchange_watch.h"

#include <utility>

#include "base/clock.h"

namespace pyhost::asgi {

using python::Attached;
using python::ObservedRequest;
using python::Ref;
using python::RequestMeter;

void ExchangeWatch::enter(Attached& py, python::RequestRegister& requests,
                          const gateway::RequestHead& head, std::string_view callable,
                          python::RequestData& data) {
  entry_ = requests.enter(py, head, data);
  head_ = &head;
  callable_ = callable;
  data_ = &data;
  observer_or_null_ = entry_->observer_or_null();
  if (!entry_->is_measured()) return;
  meter_.emplace();
  meter_->start(base::now_us(), RequestMeter::Thread::shared);
}

ObservedRequest ExchangeWatch::request() const noexcept {
  return {.head = *head_,
          .callable = callable_,
          .data = *data_,
          .meter = *meter_,
          .status = status_,
          .kind = ObservedRequest::Kind::asgi};
}

Ref ExchangeWatch::tell_start(Attached& py, PyObject* application, PyObject* scope) noexcept {
  if (observer_or_null_ == nullptr) return {};
  return observer_or_null_->request_starts(py, request(), application, scope);
}

void ExchangeWatch::tell_response(Attached& py, int status, PyObject* event) noexcept {
  status_ = status;
  if (observer_or_null_ == nullptr) return;
  const Ref number = Ref::steal(PyLong_FromLong(status));
  Ref headers = Ref::share(PyDict_GetItemString(event, "headers"));
  if (!headers) headers = Ref::steal(PyTuple_New(0));
  if (!number || !headers) return python::discard_error(py);
  observer_or_null_->response_starts(py, request(), number.get(), headers.get(), nullptr);
}

void ExchangeWatch::tell_failure(Attached& py, const python::PythonError& error) noexcept {
  if (observer_or_null_ != nullptr) observer_or_null_->application_raised(py, request(), error);
}

void ExchangeWatch::leave(Attached& py) noexcept {
  if (!entry_) return;
  if (meter_) meter_->finish(base::now_us());
  if (observer_or_null_ != nullptr) observer_or_null_->request_ends(py, request());
  observer_or_null_ = nullptr;
  entry_->leave(py);
}

void ExchangeWatch::count(const gateway::Outcome& outcome) noexcept {
  const auto entry = std::exchange(entry_, nullptr);
  if (entry) entry->count(*head_, outcome, status_, meter_ ? &*meter_ : nullptr);
}

}  // namespace pyhost::asgi

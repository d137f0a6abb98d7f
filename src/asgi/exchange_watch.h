// Who is told what becomes of an exchange.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "python/request_observer.h"

namespace pyhost::asgi {

// The exchange's part in the register of its loop, from enter() to count(). Before and behind that,
// and where nobody wants to know, it tells nobody. Belongs to the loop's thread; attached.
class ExchangeWatch {
 public:
  // All of it outlives count(). Throws std::bad_alloc.
  void enter(python::Attached& py, python::RequestRegister& requests,
             const gateway::RequestHead& head, std::string_view callable,
             python::RequestData& data);

  // The application is about to be called. Gives what is to be called in its place, or null.
  python::Ref tell_start(python::Attached& py, PyObject* application, PyObject* scope) noexcept;
  // It has begun its reply, or has accepted, with that event.
  void tell_response(python::Attached& py, int status, PyObject* event) noexcept;
  // The server has answered in its place.
  void note_status(int status) noexcept { status_ = status; }
  void tell_failure(python::Attached& py, const python::PythonError& error) noexcept;
  void count_input(std::size_t bytes) noexcept {
    if (meter_) meter_->input.add(1, bytes, {});
  }
  void count_output(std::size_t bytes) noexcept {
    if (meter_) meter_->output.add(1, bytes, {});
  }
  // Its task has ended. Lets go of its data.
  void leave(python::Attached& py) noexcept;
  // The exchange is over. Without effect on what left without having entered.
  void count(const gateway::Outcome& outcome) noexcept;

 private:
  python::ObservedRequest request() const noexcept;

  std::unique_ptr<python::RegisteredRequest> entry_;
  python::RequestObserver* observer_or_null_ = nullptr;
  const gateway::RequestHead* head_ = nullptr;
  std::string_view callable_;
  python::RequestData* data_ = nullptr;
  std::optional<python::RequestMeter> meter_;
  int status_ = 0;
};

}  // namespace pyhost::asgi

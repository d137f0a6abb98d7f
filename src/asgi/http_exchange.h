// One request while an ASGI application serves it.
#pragma once

#include "asgi/exchange.h"
#include "asgi/receive_course.h"

namespace pyhost::asgi {

// An exchange with a scope of the type http.
class HttpExchange final : public Exchange {
 public:
  // As Exchange's.
  HttpExchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel) noexcept
      : Exchange(parts, host, channel) {}

  void body_has_come(python::Attached& py) override { waiters_.wake(py, parts_); }
  void client_has_left(python::Attached& py) override;

 private:
  python::Ref make_scope(python::Attached& py) override;
  Progress receive(python::Ref& value) override;
  Progress send(Send& call, python::Ref& value) override;
  void reply_has_ended() override { receiving_.replied(); }
  gateway::BodyFault body_fault() const noexcept override { return receiving_.fault(); }
  bool is_told_by(const python::PythonError& error) const override {
    return error.is(parts_.client_disconnected.get());
  }
  void end(python::Attached& py, TaskEnd how, const gateway::Outcome& outcome) override;

  Progress fail_receive() const;
  python::Ref request_event(const gateway::BodyPiece& piece) const;
  python::Ref disconnect_event() const;
  Progress send_to_nobody(python::Ref& value);
  bool take_event(python::Attached& py, Send& call);
  bool take_trailers(python::Attached& py, PyObject* event);
  bool take_early_hint(python::Attached& py, PyObject* event);
  bool take_path(python::Attached& py, Send& call);
  bool take_file(python::Attached& py, Send& call);
  bool send_file(python::Attached& py, Send& call, FileEvent file);
  bool send_of_file(python::Attached& py, Send& call);

  ReceiveCourse receiving_;
  unsigned files_ = 0;  // that httpd sends
  bool has_yielded_ = false;
};

}  // namespace pyhost::asgi

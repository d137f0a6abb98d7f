// One request while an ASGI application serves it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

#include "asgi/awaitable.h"
#include "asgi/event_fields.h"
#include "asgi/file_event.h"
#include "asgi/loop_parts.h"
#include "asgi/receive_course.h"
#include "asgi/reply_course.h"
#include "asgi/send_line.h"
#include "base/clock.h"
#include "pyhost/gateway/channel.h"
#include "python/error.h"
#include "python/output_logs.h"
#include "python/request_link.h"
#include "python/served_request.h"

namespace pyhost::asgi {

class HttpExchange;

// What an exchange wants of the loop that runs it; attached, on the loop's thread.
class ExchangeHost {
 public:
  // Has release_head() called in a moment.
  virtual void hold_head(HttpExchange& exchange) = 0;
  // Has end_for_gone_client() called when the client's grace is over, if there is one.
  virtual void expect_end(HttpExchange& exchange) = 0;
  // It is over, and the host's reference to it is to go.
  virtual void exchange_over(python::Attached& py, HttpExchange& exchange) = 0;

 protected:
  ~ExchangeHost() = default;
};

// Why a task is cancelled by somebody else than the application.
enum class Cancelling {
  no,
  timeout,      // it has run longer than request-timeout
  client_gone,  // nobody wants its reply, and it has not ended
  stop,         // its process ends
};

// Belongs to the loop's thread. Co-owned by its host, until it is over, and by every Python object
// that was made for it: what an application has kept finds that the exchange is over. Everything is
// called attached but what ServedRequest says is not.
class HttpExchange final : public gateway::ChannelOwner,
                           public python::ServedRequest,
                           public std::enable_shared_from_this<HttpExchange> {
 public:
  // What it is to call.
  struct Callee {
    PyObject* application;
    gateway::Protocol protocol;  // asgi or asgi2
    PyObject* state_or_null;     // of the lifespan; each scope has a copy
  };

  // Parts and host outlive it, as does the channel until the exchange has finished it.
  HttpExchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel) noexcept;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Calls the application, which goes on as a task of the loop. What fails is the exchange's end.
  void run(python::Attached& py, const Callee& callee);

  // --- What has happened ---
  void body_has_come(python::Attached& py) { waiters_.wake(py, parts_); }
  void has_room(python::Attached& py);
  void client_has_left(python::Attached& py);
  void task_has_ended(python::Attached& py, PyObject* task);
  void release_head(python::Attached& py);
  void cancel(python::Attached& py, Cancelling why);

  python::Interpreter& interpreter() const noexcept { return parts_.interpreter; }
  const gateway::Channel* channel_or_null() const noexcept { return channel_or_null_; }
  base::TimePoint began() const noexcept { return began_; }
  // Whether the client has, or gets, its complete reply.
  bool has_replied() const noexcept { return reply_.stage() == ReplyCourse::Stage::ended; }

  // --- Calls of the application ---

  // receive(): gives an event.
  struct Receive {
    std::shared_ptr<HttpExchange> exchange;

    Progress go_on(python::Ref& value) { return exchange->receive(value); }
    void give_up() noexcept {}
    static constexpr char kName[] = "mod_wsgi.Receive";
    static constexpr char kDoc[] = "A call of receive().";
  };
  // send(event).
  struct Send {
    std::shared_ptr<HttpExchange> exchange;
    python::Ref event;
    std::optional<SendLine::Ticket> ticket = {};
    std::optional<FileEvent> file = {};  // what is left of one that is read piece by piece

    Progress go_on(python::Ref& value) { return exchange->send(*this, value); }
    void give_up() noexcept { exchange->leave_line(*this); }
    static constexpr char kName[] = "mod_wsgi.Send";
    static constexpr char kDoc[] = "A call of send(event).";
  };

  // Null with an exception pending.
  python::Ref new_receive();
  python::Ref new_send(PyObject* event);

  // --- ServedRequest ---
  python::RequestNotes& notes() noexcept override { return notes_; }
  python::RequestData& data() noexcept override { return data_; }
  const gateway::RequestHead& head() const noexcept override { return channel_or_null_->head(); }
  bool committed() const noexcept override;
  void log(base::LogLevel level, std::string_view text) noexcept override;
  bool client_gone() noexcept override { return gone_; }
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override;

 private:
  // Attached, because Python has called it on the loop's thread.
  python::CalledByPython attached() const noexcept {
    return python::CalledByPython(parts_.interpreter);
  }

  bool start_task(python::Attached& py, const Callee& callee);
  python::Ref make_scope(python::Attached& py, const Callee& callee);
  static python::Ref call(const Callee& callee, PyObject* scope, const python::Ref& handle);
  Progress receive(python::Ref& value);
  Progress wait(python::Ref& value);
  static Progress give(python::Ref event, python::Ref& value);
  Progress fail_receive() const;
  python::Ref request_event(const gateway::BodyPiece& piece) const;
  python::Ref disconnect_event() const;
  Progress send(Send& call, python::Ref& value);
  Progress send_to_nobody(python::Ref& value);
  void leave_line(Send& call) noexcept;
  bool take_event(python::Attached& py, Send& call);
  bool take_start(python::Attached& py, PyObject* event);
  bool take_body(python::Attached& py, PyObject* event);
  bool take_early_hint(python::Attached& py, PyObject* event);
  bool take_path(python::Attached& py, Send& call);
  bool take_file(python::Attached& py, Send& call);
  bool send_file(python::Attached& py, Send& call, FileEvent file);
  bool send_of_file(python::Attached& py, Send& call);
  bool send_bytes(python::Attached& py, std::string_view bytes, ReplyCourse::More more);
  void depart(python::Attached& py, const ReplyCourse::Departure& departure, std::string_view body,
              const gateway::FileRange* file_or_null = nullptr);
  gateway::Outcome outcome_of_return(python::Attached& py, PyObject* result);
  gateway::Outcome outcome_of_failure(python::Attached& py);
  gateway::Outcome failed(int status, gateway::FailureCause cause) const noexcept;
  gateway::Outcome cancelled() const noexcept;
  void log_detached(python::Attached& py, base::LogLevel level, base::Message message,
                    std::string_view text) const;
  void log_failure(python::Attached& py, const python::PythonError& error) const;
  gateway::RunFigures figures() const noexcept;
  void finish(python::Attached& py, const gateway::Outcome& outcome);

  LoopParts& parts_;
  ExchangeHost& host_;
  gateway::Channel* channel_or_null_;  // null when it was finished
  python::OutputLogs logs_;
  const python::SharedRequestLink link_ = std::make_shared<python::RequestLink>();
  const base::TimePoint began_ = base::Clock::now();
  python::RequestStream stream_;
  python::Ref task_;
  Cancelling cancelling_ = Cancelling::no;
  std::atomic<bool> gone_ = false;  // others ask, too

  ReceiveCourse receiving_;
  ReplyCourse reply_;
  std::optional<ResponseStart> start_;
  SendLine line_;
  bool full_ = false;
  unsigned files_ = 0;  // that httpd sends
  bool has_yielded_ = false;
  Waiters waiters_;
  python::RequestNotes notes_;
  python::RequestData data_;
};

// The heap types that parts have for it.
base::Result<> make_exchange_types(python::Attached& py, LoopParts& parts);

}  // namespace pyhost::asgi

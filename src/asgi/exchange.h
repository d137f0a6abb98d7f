// One exchange while an ASGI application serves it: what a request and a WebSocket share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asgi/awaitable.h"
#include "asgi/exchange_watch.h"
#include "asgi/file_event.h"
#include "asgi/loop_parts.h"
#include "asgi/reply_course.h"
#include "asgi/response_start.h"
#include "asgi/send_line.h"
#include "base/clock.h"
#include "pyhost/gateway/channel.h"
#include "pyhost/gateway/leaving.h"
#include "python/error.h"
#include "python/output_logs.h"
#include "python/request_link.h"
#include "python/served_request.h"

namespace pyhost::asgi {

class Exchange;

// What an exchange wants of the loop that runs it; attached, on the loop's thread.
class ExchangeHost {
 public:
  // Has release_head() called in a moment.
  virtual void hold_head(Exchange& exchange) = 0;
  // Has it cancelled when the grace of a client that has left is over, if there is one.
  virtual void expect_end(Exchange& exchange) = 0;
  // It is a stream from now on, in which nothing may happen for long.
  virtual void has_become_stream(Exchange& exchange) = 0;
  // Has moment_has_come() called then.
  virtual void call_at(Exchange& exchange, base::TimePoint moment) = 0;
  // It is over, and the host's reference to it is to go.
  virtual void exchange_over(python::Attached& py, Exchange& exchange) = 0;

 protected:
  ~ExchangeHost() = default;
};

// Why a task is cancelled by somebody else than the application.
enum class Cancelling {
  no,
  timeout,      // it has run longer than it may
  client_gone,  // nobody wants its reply, and it has not ended
  stop,         // its process ends
};

// Calls an application, which goes on as a task of the loop, with a context of its own; gives it
// receive() and send(); sends a reply; logs how it ends. What events there are, and what ends it,
// is for those who derive from it.
//
// Belongs to the loop's thread. Co-owned by its host, until it is over, and by every Python object
// that was made for it: what an application has kept finds that the exchange is over. Everything is
// called attached but what ServedRequest says is not.
class Exchange : public gateway::ChannelOwner,
                 public python::ServedRequest,
                 public std::enable_shared_from_this<Exchange> {
 public:
  // What it is to call.
  struct Callee {
    PyObject* application;
    gateway::Protocol protocol;  // asgi or asgi2
    PyObject* state_or_null;     // of the lifespan; each scope has a copy
  };

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // Calls the application. What fails is the exchange's end.
  void run(python::Attached& py, const Callee& callee);

  // --- What has happened ---
  virtual void body_has_come(python::Attached& py) = 0;
  virtual void has_room(python::Attached& py);
  virtual void client_has_left(python::Attached& py);
  // It is to leave its client at that moment; a request is none the less answered.
  virtual void leave(python::Attached&, gateway::Leaving, base::TimePoint) {}
  virtual void moment_has_come(python::Attached&, base::TimePoint) {}
  void task_has_ended(python::Attached& py, PyObject* task);
  void release_head(python::Attached& py);
  virtual void cancel(python::Attached& py, Cancelling why);

  python::Interpreter& interpreter() const noexcept { return parts_.interpreter; }
  const gateway::Channel* channel_or_null() const noexcept { return channel_or_null_; }
  base::TimePoint began() const noexcept { return began_; }
  // Whether the client has, or gets, all that it will ever get.
  virtual bool has_replied() const noexcept { return reply_.stage() == ReplyCourse::Stage::ended; }

  // --- Calls of the application ---

  // receive(): gives an event.
  struct Receive {
    std::shared_ptr<Exchange> exchange;

    Progress go_on(python::Ref& value);
    void give_up() noexcept {}
    static constexpr char kName[] = "mod_wsgi.Receive";
    static constexpr char kDoc[] = "A call of receive().";
  };
  // send(event).
  struct Send {
    std::shared_ptr<Exchange> exchange;
    python::Ref event;
    std::optional<SendLine::Ticket> ticket = {};
    std::uint64_t begun = 0;             // the number of its message, of which a part has left
    std::optional<FileEvent> file = {};  // what is left of one that is read piece by piece

    Progress go_on(python::Ref& value);
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

 protected:
  // Parts and host outlive it, as does the channel until the exchange has finished it.
  Exchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel) noexcept;

  // How a task has come to its end.
  enum class TaskEnd { returned, raised, cancelled };

  // --- For those who derive from it ---
  // Everything but the state; null with an exception pending.
  virtual python::Ref make_scope(python::Attached& py) = 0;
  virtual Progress receive(python::Ref& value) = 0;
  virtual Progress send(Send& call, python::Ref& value) = 0;
  // The last part of the reply was offered.
  virtual void reply_has_ended() = 0;
  // Nothing when the exchange, as it stands, is complete for its client.
  virtual gateway::Outcome failed(int status, gateway::FailureCause cause) const noexcept;
  // The client's fault that the application has met.
  virtual gateway::BodyFault body_fault() const noexcept { return gateway::BodyFault::none; }
  // Whether what a task has raised is how it was told that its client has left.
  virtual bool is_told_by(const python::PythonError&) const { return false; }
  // The task has ended; finish() is due, now or later.
  virtual void end(python::Attached& py, TaskEnd how, const gateway::Outcome& outcome) = 0;

  // Attached, because Python has called it on the loop's thread.
  python::CalledByPython attached() const noexcept {
    return python::CalledByPython(parts_.interpreter);
  }
  Progress wait(python::Ref& value);
  static Progress give(python::Ref event, python::Ref& value);
  // Whether the call may send now. Otherwise it has a place in the line, and is to wait.
  bool is_its_turn(Send& call);
  void leave_line(Send& call) noexcept;

  // Events of a reply; false with an exception pending.
  bool take_start(python::Attached& py, PyObject* event);
  bool take_body(python::Attached& py, PyObject* event);
  bool send_bytes(python::Attached& py, std::string_view bytes, ReplyCourse::More more);
  // A reply without a body.
  void answer(python::Attached& py, int status);
  void depart(python::Attached& py, const ReplyCourse::Departure& departure, std::string_view body,
              const gateway::FileRange* file_or_null = nullptr);
  // Has the channel send it; what becomes of it is noted.
  gateway::Offered offer(python::Attached& py, gateway::ReplyPart part);

  void log_detached(python::Attached& py, base::LogLevel level, base::Message message,
                    std::string_view text) const;
  // What the task has had is given back. Before finish(), which does it otherwise.
  void release_task(python::Attached& py);
  // The same of what others may still use or log; detached.
  void settle_logs() noexcept;
  void finish(python::Attached& py, const gateway::Outcome& outcome);

  LoopParts& parts_;
  ExchangeHost& host_;
  gateway::Channel* channel_or_null_;  // null when it was finished
  python::Ref task_;                   // null before it is made, and when it has ended
  Cancelling cancelling_ = Cancelling::no;
  std::atomic<bool> gone_ = false;  // others ask, too
  ReplyCourse reply_;
  std::optional<ResponseStart> start_;
  std::vector<std::pair<std::string, std::string>> trailers_;
  SendLine line_;
  bool full_ = false;
  Waiters waiters_;
  python::RequestNotes notes_;
  ExchangeWatch watch_;

 private:
  bool start_task(python::Attached& py, const Callee& callee);
  bool add_state(PyObject* scope, const Callee& callee) const;
  python::Ref call(python::Attached& py, const Callee& callee, PyObject* scope,
                   const python::Ref& handle);
  void end_by_exception(python::Attached& py);
  gateway::Outcome outcome_of_return(python::Attached& py, PyObject* result);
  gateway::Outcome outcome_of_failure(python::Attached& py, const python::PythonError& error);
  gateway::Outcome cancelled() const noexcept;
  void log_failure(python::Attached& py, const python::PythonError& error) const;
  gateway::RunFigures figures() const noexcept;

  python::OutputLogs logs_;
  python::SharedRequestLink link_ = std::make_shared<python::RequestLink>();
  const base::TimePoint began_ = base::Clock::now();
  python::RequestStream stream_;
  python::RequestData data_;
  bool task_released_ = false;
  bool link_in_use_ = false;
};

// The heap types that parts have for it.
base::Result<> make_exchange_types(python::Attached& py, LoopParts& parts);

}  // namespace pyhost::asgi

// A request or question that came over a connection from a httpd child.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pyhost/gateway/question.h"
#include "pyhost/gateway/runner.h"
#include "wire/connection.h"
#include "wire/messages.h"
#include "worker/reply_line.h"
#include "worker/request_clock.h"
#include "worker/watched_request.h"

namespace pyhost::worker {

// What may happen to the connection next.
enum class Connected {
  reuse,     // the exchange is over in good order
  close,     // it is not
  released,  // on_end() has been called: it is somebody else's already
};

// Belongs to one thread, which uses it for one request after the other so that its buffers are made
// once. Knows nothing of Python. A record that comes behind the end of the reply, or that the child
// no longer takes, goes to the process's own log. Records may come from any thread. In a process
// that the application has forked off, the client has gone.
class WorkerExchange final : public gateway::Exchange, public WatchedRequest {
 public:
  // `reply_timeout` is how long the child may take to accept a piece of the reply. `before_reply`,
  // which may be empty, is called by the exchange's own thread before anything of a reply is sent.
  WorkerExchange(base::LogSink& process_log, wire::Timeout reply_timeout,
                 std::function<void()> before_reply);
  WorkerExchange(const WorkerExchange&) = delete;
  WorkerExchange& operator=(const WorkerExchange&) = delete;

  // Begins with the payload of a REQUEST frame; false when it is none. `on_end` is called from
  // send() when END has left, as the application's close() may take its time after that.
  bool begin(wire::Connection& connection, std::string_view payload, std::function<void()> on_end);
  // Without a process group. The texts stay until the next begin().
  const gateway::Target& target() const noexcept { return request_.target; }
  // Tells the child how the run ended. Once for each begin() that gave true.
  Connected finish(const gateway::Outcome& outcome, std::string_view cause) noexcept;

  // Instead: gives the payload that it has begun with to an event loop, which uses the connection
  // from here on. PRECONDITION: nothing was read or sent.
  std::string hand_over() noexcept;

  // --- A question, in place of a request ---

  // Begins with the payload of a QUESTION frame, of which nothing else keeps a copy from here on;
  // false when it is none.
  bool begin_question(wire::Connection& connection, std::string_view payload);
  // Its texts, and those of target(), stay until finish_question().
  const gateway::Question& question() const noexcept { return question_; }
  // Tells the child the answer, or why there is none; its copies of the question are wiped.
  Connected finish_question(const gateway::AskResult& answer) noexcept;

  // Answers a request that came over that connection 503, where there is no memory for more.
  // Nothing may have been sent to it, and it is to be closed then.
  void refuse_for_memory(const wire::Connection& connection) const noexcept;

  // --- From outside, any thread: these never wait ---

  // Of the request between begin() and finish().
  const RequestClock& clock() const noexcept { return clock_; }
  std::string script_of(std::uint64_t number) const override;
  RequestLine request_line_of(std::uint64_t number) const override;
  void note(std::uint64_t number, base::LogLevel level, base::Message message,
            std::string_view text) noexcept override;
  [[nodiscard]] bool give_up(std::uint64_t number, gateway::FailureCause failure,
                             std::string_view cause) noexcept override;
  const gateway::Caller& caller() const noexcept override { return *this; }

  // --- The engine's side ---
  const gateway::RequestHead& head() const noexcept override { return request_.head; }
  gateway::BodyRead read_body(std::span<char> into) noexcept override;
  gateway::SendResult send(const gateway::ReplyPart& part) noexcept override;
  void send_early_hints(std::span<const gateway::Header> headers) noexcept override;
  bool client_gone() noexcept override;
  bool wants(base::LogLevel level) const noexcept override { return process_log_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
  void log_application(const base::ApplicationRecord& record) noexcept override;
  void import_begins() noexcept override { clock_.import_begins(base::Clock::now()); }
  void import_ended() noexcept override { clock_.import_ended(base::Clock::now()); }

 private:
  enum class Reply { unsent, open, ended };

  using Held = ReplyLine::Held;

  std::size_t take_arrived(std::span<char> into) noexcept;
  void ask_for_body();
  gateway::SendResult send_part(const gateway::ReplyPart& part);
  Connected tell_outcome(const gateway::Outcome& outcome, std::string_view cause);
  Connected tell_answer(const gateway::AskResult& answer);
  void reset_request() noexcept;
  void give_up_for_memory() noexcept;
  void give_back_memory() noexcept;
  void announce_reply() noexcept;
  bool encode(const Held& held, const gateway::ReplyPart& part);
  bool end_reply(const Held& held, const gateway::RunFigures& figures);
  // Whether a record has left for the child, which `encode` puts into a batch.
  template <class Encode>
  bool send_record(const Encode& encode) noexcept;

  base::LogSink& process_log_;
  ReplyLine line_;
  const std::function<void()> before_reply_;
  const std::string refusal_;  // a frame

  // Set by the exchange's own thread only, as what follows.
  RequestClock clock_;
  std::function<void()> on_end_;
  std::string_view arrived_;  // of the body, and not read yet
  std::string body_piece_;
  bool body_follows_ = false;
  bool announced_ = false;  // before_reply_ was called
  gateway::BodyFault fault_ = gateway::BodyFault::none;

  // Only with the line held: others look at these, too.
  bool short_of_memory_ = false;  // for the reply
  std::string payload_;
  std::vector<gateway::EnvironEntry> environ_;
  wire::RequestMessage request_;
  gateway::Question question_;
  Reply reply_ = Reply::unsent;
};

}  // namespace pyhost::worker

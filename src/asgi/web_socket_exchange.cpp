#include "asgi/web_socket_exchange.h"

#include <fmt/format.h>

#include <utility>

#include "base/out_of_memory.h"
#include "python/error.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using gateway::Outcome;
using gateway::ReplyPart;
using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::Ref;
using websocket::PingCourse;

WebSocketExchange::WebSocketExchange(LoopParts& parts, ExchangeHost& host,
                                     gateway::Channel& channel, const gateway::WebSockets& settings)
    : Exchange(parts, host, channel), settings_(settings), inbox_(parts.unread_bytes) {
  if (settings.connect_timeout.count() != 0) {
    answer_by_ = base::Clock::now() + settings.connect_timeout;
  }
}

Ref WebSocketExchange::make_scope(Attached& py) {
  if (answer_by_) host_.call_at(*this, *answer_by_);
  return parts_.scopes.build_web_socket(py, head());
}

// --- receive() -------------------------------------------------------------------------------

// What has come before the end is received before the end is.
Progress WebSocketExchange::receive(Ref& value) {
  if (!std::exchange(connect_told_, true)) return give(connect_event(parts_.names), value);
  if (!inbox_.empty()) {
    const SocketInbox::Message message = inbox_.pop();
    watch_.count_input(message.payload.size());
    if (channel_or_null_ != nullptr)
      channel_or_null_->note_message(gateway::Channel::Way::received);
    CalledByPython py = attached();
    if (is_paused_ && inbox_.empty()) read(py);
    return give(receive_event(parts_.names, message.is_text, message.payload), value);
  }
  if (const auto& disconnect = course_.disconnect()) {
    return give(disconnect_event(parts_.names, *disconnect), value);
  }
  return wait(value);
}

// --- What has happened -----------------------------------------------------------------------

void WebSocketExchange::has_room(Attached& py) {
  if (pings_) pings_->hear();
  full_ = false;
  if (owed_pong_ && course_.stage() == Stage::open) {
    send_bytes(py, websocket::control_frame(websocket::Opcode::pong, *owed_pong_));
  }
  owed_pong_.reset();
  send_frames(py);
  waiters_.wake(py, parts_);
}

void WebSocketExchange::client_has_left(Attached& py) {
  if (gone_) return;
  Exchange::client_has_left(py);
  stream_ended_ = true;
  static_cast<void>(course_.lose());
  outgoing_.reset();
  finish_if_over(py);
}

// One that is opened later is closed then.
void WebSocketExchange::leave(Attached& py, gateway::Leaving why, base::TimePoint moment) {
  if (leave_at_ && *leave_at_ <= moment) return;
  leaving_ = why;
  leave_at_ = moment;
  const base::TimePoint now = base::Clock::now();
  if (moment > now) return host_.call_at(*this, moment);
  moment_has_come(py, now);
}

void WebSocketExchange::moment_has_come(Attached& py, base::TimePoint now) {
  const std::shared_ptr<Exchange> self = shared_from_this();
  if (channel_or_null_ == nullptr) return;
  const bool is_unanswered = course_.stage() == Stage::offered && !Exchange::committed();
  if (is_unanswered && answer_by_ && now >= *answer_by_) {
    answer_by_.reset();
    log_detached(py, LogLevel::error, Message::socket_unanswered,
                 fmt::format("{} has not answered the handshake of a WebSocket within "
                             "websocket-connect-timeout",
                             channel_or_null_->target().script));
    cancel(py, Cancelling::timeout);
  }
  if (course_.stage() == Stage::open) {
    if (leave_at_ && now >= *leave_at_) carry_out(py, course_.leave(leaving_));
    look_for_life(py, now);
  }
  if (close_by_ && now >= *close_by_ && course_.close_overdue().ends) end_stream_at_once(py);
}

void WebSocketExchange::look_for_life(Attached& py, base::TimePoint now) {
  if (!pings_ || course_.stage() != Stage::open || now < pings_->due()) return;
  const auto reading = is_paused_ ? PingCourse::Reading::paused : PingCourse::Reading::on;
  switch (pings_->look(now, reading)) {
    case PingCourse::Verdict::ping:
      // Behind what the client does not take it would say nothing.
      if (!full_) send_bytes(py, websocket::control_frame(websocket::Opcode::ping, "pyhost"));
      break;
    case PingCourse::Verdict::gone:
      log_detached(py, LogLevel::info, Message::socket_silent,
                   fmt::format("the client of a WebSocket of {} has not answered a Ping",
                               channel_or_null_->target().script));
      give_up_client(py, course_.miss_pong());
      return;
    case PingCourse::Verdict::wait:
      break;
  }
  host_.call_at(*this, pings_->due());
}

// --- The end ---------------------------------------------------------------------------------

void WebSocketExchange::send_bytes(Attached& py, std::string_view frame) {
  if (stream_ended_) return;
  offer(py, {.blocks = {&frame, 1}, .then = ReplyPart::Then::pause});
}

void WebSocketExchange::note_close() noexcept {
  const auto& disconnect = course_.disconnect();
  if (disconnect) channel_or_null_->note_close(static_cast<std::uint16_t>(disconnect->code));
}

void WebSocketExchange::end_stream(Attached& py, std::string_view frame) {
  if (std::exchange(stream_ended_, true)) return;
  note_close();
  ReplyPart part{.then = ReplyPart::Then::end};
  if (!frame.empty()) part.blocks = {&frame, 1};
  offer(py, part);
}

void WebSocketExchange::end_stream_at_once(Attached& py) {
  if (!std::exchange(stream_ended_, true)) {
    note_close();
    const DetachScope detached(py);
    channel_or_null_->end_at_once();
  }
  waiters_.wake(py, parts_);
  finish_if_over(py);
}

// It takes nothing, or will not: what is on its way to it is not waited for.
void WebSocketExchange::give_up_client(Attached& py, const websocket::SocketCourse::Step& step) {
  if (!full_) send_bytes(py, step.frame);
  outgoing_.reset();
  base::if_memory_allows([this] { host_.expect_end(*this); });
  end_stream_at_once(py);
}

void WebSocketExchange::carry_out(Attached& py, const websocket::SocketCourse::Step& step) {
  if (step.ends) {
    end_stream(py, step.frame);
    if (!gone_ && !course_.drops_unread()) host_.expect_end(*this);
  } else if (!step.frame.empty()) {
    send_bytes(py, step.frame);
  }
  if (step.awaits_close) {
    close_by_ = base::Clock::now() + websocket::kCloseWait;
    host_.call_at(*this, *close_by_);
  }
  if (course_.drops_unread()) inbox_.drop_all();
  if (course_.stage() != Stage::open) outgoing_.reset();
  waiters_.wake(py, parts_);
  // The client's Close is looked for behind what the application has not received.
  if (course_.stage() == Stage::closing) read(py);
  finish_if_over(py);
}

Outcome WebSocketExchange::failed(int status, gateway::FailureCause cause) const noexcept {
  return accepted_ ? Outcome() : Exchange::failed(status, cause);
}

bool WebSocketExchange::is_told_by(const python::PythonError& error) const {
  return error.is(parts_.client_disconnected.get());
}

void WebSocketExchange::cancel(Attached& py, Cancelling why) {
  Exchange::cancel(py, why);
  // Nobody waits any more for the client of an application that has ended.
  const bool waits = why == Cancelling::stop && task_outcome_ && !has_replied();
  if (waits && course_.close_overdue().ends) end_stream_at_once(py);
}

void WebSocketExchange::end(Attached& py, TaskEnd how, const Outcome& outcome) {
  const std::shared_ptr<Exchange> self = shared_from_this();
  task_outcome_ = outcome;
  release_task(py);
  if (!accepted_) return finish(py, outcome);
  {
    const DetachScope detached(py);
    settle_logs();
  }
  if (cancelling_ == Cancelling::stop) {
    carry_out(py, course_.leave(gateway::Leaving::stop));
    if (course_.close_overdue().ends) end_stream_at_once(py);
  } else {
    carry_out(py, how == TaskEnd::returned ? course_.return_open() : course_.raise_open());
  }
  finish_if_over(py);
}

// Of a task that goes on, the end is still to come.
void WebSocketExchange::finish_if_over(Attached& py) {
  if (!task_outcome_ || !stream_ended_ || channel_or_null_ == nullptr) return;
  finish(py, *task_outcome_);
}

}  // namespace pyhost::asgi

// How an attempt ends otherwise than with a complete reply, and what it comes to.
#include <fmt/format.h>

#include "base/clock.h"
#include "pyhost/gateway/http_status.h"
#include "remote/failures.h"
#include "remote/relay.h"

namespace pyhost::remote {

using base::Message;
using gateway::BodyFault;
using wire::Frame;
using wire::FrameType;
using wire::Io;
using Kind = Attempt::Kind;

// The worker closes the application's iterable when it hears ABORT.
void Relay::abort() {
  pooled_.batch.clear();
  wire::encode_empty(FrameType::abort, pooled_.batch.encoded());
  static_cast<void>(pooled_.connection.write_some(pooled_.batch));
}

Attempt Relay::stop(Passed passed) {
  abort();
  return outcome_of(passed);
}

Attempt Relay::deliver() {
  return outcome_of(delivery_.finish());
}

Attempt Relay::outcome_of(Passed passed) const {
  switch (passed) {
    case Passed::on:
      return {Kind::complete};
    case Passed::taken_over:
      return {Kind::taken_over};
    case Passed::client_gone:
      return {Kind::client_gone, status_of(BodyFault::client_gone), Message::client_left,
              "the client left before it had its reply"};
    case Passed::client_slow:
      return {Kind::client_gone, status_of(BodyFault::too_slow), Message::client_slow,
              fmt::format("the client took nothing of the reply for {:g} s",
                          base::seconds(delivery_.patience()))};
    case Passed::lost:
      break;
  }
  return {Kind::failed, gateway::kInternalServerError, Message::spool_failed,
          fmt::format("a part of the reply is lost: {}", delivery_.loss())};
}

Attempt Relay::end_with_error(const Frame& frame) {
  const auto error = wire::decode_error(frame.payload);
  if (!error) return malformed("the worker sent a malformed ERROR");
  if (error->status != 0 && !ReplyRules::may_answer(error->status)) {
    return forbidden({fmt::format("the worker asked for an answer with status {}", error->status)});
  }
  Attempt attempt = attempt_for(*error);
  attempt.figures = believed(error->figures);
  attempt.failure = believed_failure(error->failure);
  return attempt;
}

Attempt Relay::attempt_for(const wire::ErrorMessage& error) {
  const BodyFault fault = body_.fault();
  const bool clients = fault != BodyFault::none && fault != BodyFault::failed;
  if (clients && (head_seen_ || error.status >= gateway::kInternalServerError)) {
    return {Kind::client_gone, status_of(fault), Message::client_fault,
            std::string(describe(fault))};
  }
  if (error.status != 0 && !head_seen_) {
    reusable_ = true;
    return {Kind::refused, error.status, Message::reply_broken, std::string(error.cause)};
  }
  if (head_seen_ && !delivery_.head_sent()) {
    // Nothing of the reply has reached the client, so it can still be told properly.
    return {Kind::refused, gateway::kInternalServerError, Message::reply_broken,
            std::string(error.cause)};
  }
  return {Kind::broken, gateway::kInternalServerError, Message::reply_broken,
          std::string(error.cause)};
}

Attempt Relay::fail(Io outcome) {
  switch (outcome) {
    case Io::timeout:
      return {Kind::failed, gateway::kGatewayTimeout, Message::worker_silent,
              fmt::format("the worker gave no sign of life for {:g} s",
                          base::seconds(settings_.socket_timeout))};
    case Io::malformed:
      return malformed(pooled_.connection.fault());
    case Io::reset:
      // The kernel tells when the other end has gone without having read what it was sent; that may
      // be CANCEL.
      if (!heard_ && !read_watch_.cancelled()) {
        return not_run(Setback::Kind::unreachable, "the worker ended before it saw the request");
      }
      break;
    default:
      break;
  }
  return {Kind::lost, gateway::kBadGateway, Message::worker_lost,
          "the worker closed the connection"};
}

// Nothing can have taken longer than all of it.
gateway::RunFigures Relay::believed(const gateway::RunFigures& figures) const noexcept {
  return within(figures,
                std::chrono::ceil<std::chrono::microseconds>(base::Clock::now() - sent_at()));
}

Attempt Relay::forbidden(const base::Error& error) {
  return {Kind::failed, gateway::kBadGateway, Message::reply_forbidden, error.sentence};
}

Attempt Relay::malformed(std::string what) {
  return {Kind::failed, gateway::kBadGateway, Message::frame_malformed, std::move(what)};
}

}  // namespace pyhost::remote

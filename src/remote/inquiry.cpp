#include "remote/inquiry.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "pyhost/gateway/http_status.h"
#include "wire/messages.h"
#include "wire/question_messages.h"

namespace pyhost::remote {
namespace {

using base::Message;
using std::chrono::milliseconds;
using wire::Connection;
using wire::Frame;
using wire::FrameType;
using wire::Io;
using Kind = Attempt::Kind;

constexpr int kHeadersTooLarge = 431;

}  // namespace

tl::expected<gateway::Answer, Attempt> Inquiry::run(const gateway::Target& target,
                                                    const gateway::Question& question,
                                                    Resort resort, std::int64_t queue_start_us) {
  Step ended = send(target, question, resort, queue_start_us);
  while (!ended && !answer_) {
    ended = receive();
    if (!ended) ended = take_frames(question.kind);
  }
  records_.tell_left_out();
  if (ended) return tl::unexpected(*std::move(ended));
  return *std::move(answer_);
}

Inquiry::Step Inquiry::send(const gateway::Target& target, const gateway::Question& question,
                            Resort resort, std::int64_t queue_start_us) {
  pooled_.batch.clear();
  wire::QuestionMessage message{
      .target = target, .question = question, .last_resort = resort == Resort::last};
  message.question.head.queue_start_us = queue_start_us;
  if (!pooled_.greeted) wire::encode_greeting(settings_.secret, pooled_.batch.encoded());
  if (!wire::encode_question(message, pooled_.batch.encoded())) {
    reusable_ = true;
    return Attempt{Kind::refused, kHeadersTooLarge, Message::request_head_too_large,
                   fmt::format("the head of the request is larger than {} bytes, which is the most "
                               "that is passed to a worker",
                               wire::kRequestBytesMax)};
  }
  pooled_.greeted = true;
  read_watch_.begin(base::Clock::now());
  const auto left = std::chrono::ceil<milliseconds>(*admission_.end() - read_watch_.began());
  const Io outcome = pooled_.connection.write(pooled_.batch, std::max(left, milliseconds(1)));
  pooled_.batch.wipe();
  if (outcome == Io::timeout) return late();
  // A question that has not left completely is not understood.
  if (outcome != Io::done) {
    return not_run(Setback::Kind::unreachable, "the worker closed the connection");
  }
  return std::nullopt;
}

Inquiry::Step Inquiry::take_frames(gateway::QuestionKind kind) {
  Frame frame;
  while (!answer_) {
    switch (pooled_.connection.next(frame)) {
      case Connection::Next::frame:
        if (auto ended = handle(frame, kind)) return ended;
        break;
      case Connection::Next::malformed:
        return fail(Io::malformed);
      case Connection::Next::incomplete:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

Inquiry::Step Inquiry::handle(const Frame& frame, gateway::QuestionKind kind) {
  heard_ = true;
  switch (frame.type) {
    case FrameType::log:
      records_.take(frame.payload);
      return std::nullopt;
    case FrameType::record:
      records_.take_application(frame.payload);
      return std::nullopt;
    case FrameType::answer:
      return take_answer(frame.payload, kind);
    case FrameType::retry:
      return send_back(frame.payload);
    case FrameType::error:
      return end_with_error(frame.payload);
    default:
      break;
  }
  return malformed(fmt::format("the worker sent {} at the wrong time", wire::name_of(frame.type)));
}

Inquiry::Step Inquiry::take_answer(std::string_view payload, gateway::QuestionKind kind) {
  auto answer = wire::decode_answer(payload);
  if (!answer) return malformed("the worker sent a malformed ANSWER");
  if (const auto checked = gateway::check_answer(kind, *answer); !checked) {
    return Attempt{Kind::failed, gateway::kInternalServerError, Message::reply_forbidden,
                   fmt::format("the worker answered {}", checked.error().sentence)};
  }
  reusable_ = true;
  answer_ = *std::move(answer);
  return std::nullopt;
}

Inquiry::Step Inquiry::send_back(std::string_view payload) {
  const auto retry = wire::decode_retry(payload);
  if (!retry) return malformed("the worker sent a malformed RETRY");
  reusable_ = true;
  const auto setback = retry->lacks_script ? Setback::Kind::lacking : Setback::Kind::hindered;
  return not_run(setback, std::string(retry->reason));
}

// The script has failed: its own records say why.
Inquiry::Step Inquiry::end_with_error(std::string_view payload) {
  const auto error = wire::decode_error(payload);
  if (!error) return malformed("the worker sent a malformed ERROR");
  reusable_ = true;
  const bool busy =
      error->status == gateway::kServiceUnavailable || error->status == gateway::kGatewayTimeout;
  return Attempt{Kind::refused, busy ? gateway::kServiceUnavailable : gateway::kInternalServerError,
                 Message::reply_broken, std::string(error->cause)};
}

// Most scripts answer at once: one system call instead of three.
Inquiry::Step Inquiry::receive() {
  if (const Io outcome = read_watch_.note(pooled_.connection.fill_shortly());
      outcome != Io::timeout) {
    return outcome == Io::done ? std::nullopt : Step(fail(outcome));
  }
  while (true) {
    // Asked first: what it has sent before it died is there then.
    const bool died = admission_.has_died(pooled_.worker);
    const Io outcome = read_watch_.note(pooled_.connection.fill_now());
    if (outcome != Io::timeout) return outcome == Io::done ? std::nullopt : Step(fail(outcome));
    if (died) return fail(Io::closed);
    if (auto ended = wait()) return ended;
  }
}

Inquiry::Step Inquiry::wait() {
  const auto now = base::Clock::now();
  if (now >= *admission_.end()) return late();
  auto until = std::min<base::Clock::time_point>(now + kLookInterval, *admission_.end());
  const auto due = read_watch_.due();
  if (due) until = std::min(until, *due);
  pollfd worker{.fd = pooled_.connection.fd(), .events = POLLIN, .revents = 0};
  ::poll(&worker, 1, base::poll_timeout(std::chrono::ceil<milliseconds>(until - now)));
  if (worker.revents != 0) return std::nullopt;
  if (admission_.client_gone()) {
    return Attempt{Kind::client_gone, status_of(gateway::BodyFault::client_gone),
                   Message::client_left, "the client left before its request was decided on"};
  }
  const bool unread = due && base::Clock::now() >= *due && read_watch_.look();
  return unread ? Step(not_run(Setback::Kind::silent, "the worker did not read the question"))
                : std::nullopt;
}

Attempt Inquiry::fail(Io outcome) {
  if (outcome == Io::malformed) return malformed(pooled_.connection.fault());
  // The kernel tells when the other end has gone without having read what it was sent; that may be
  // CANCEL.
  if (outcome == Io::reset && !heard_ && !read_watch_.cancelled()) {
    return not_run(Setback::Kind::unreachable, "the worker ended before it saw the question");
  }
  return {Kind::lost, gateway::kServiceUnavailable, Message::worker_lost,
          "the worker closed the connection"};
}

Attempt Inquiry::late() const {
  const auto waited = std::chrono::floor<milliseconds>(base::Clock::now() - read_watch_.began());
  return {Kind::failed, gateway::kServiceUnavailable, Message::hook_timeout,
          fmt::format("the worker gave no answer within {:g} s", base::seconds(waited))};
}

Attempt Inquiry::malformed(std::string what) {
  return {Kind::failed, gateway::kInternalServerError, Message::frame_malformed, std::move(what)};
}

Attempt Inquiry::not_run(Setback::Kind setback, std::string why) {
  return {Kind::not_run, 0, Message::none, std::move(why), setback};
}

}  // namespace pyhost::remote

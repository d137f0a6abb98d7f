#include "asgi/reply_course.h"

#include <fmt/format.h>

#include <utility>

#include "pyhost/gateway/response_rules.h"

namespace pyhost::asgi {

using Then = gateway::ReplyPart::Then;

Verdict ReplyCourse::start(int status, std::optional<std::uint64_t> content_length,
                           Trailers trailers) {
  if (stage_ != Stage::unstarted) {
    return out_of_order("http.response.start was sent before: a reply has one head");
  }
  bodiless_ = bodiless_ || gateway::forbids_body(status);
  if (!bodiless_) remaining_ = content_length;
  trailers_follow_ = trailers == Trailers::follow;
  stage_ = Stage::held;
  return std::nullopt;
}

ReplyCourse::Departure ReplyCourse::depart(std::size_t bytes, Then then) noexcept {
  const bool with_head = stage_ == Stage::held;
  stage_ = then == Then::end ? Stage::ended : Stage::open;
  if (remaining_) *remaining_ -= bytes;
  return {.head = with_head, .bytes = bytes, .then = then};
}

std::optional<ReplyCourse::Departure> ReplyCourse::release_head() noexcept {
  if (stage_ != Stage::held) return std::nullopt;
  return depart(0, Then::pause);
}

// The reply has ended by its length, or has no body; the application goes on with it.
ReplyCourse::Step ReplyCourse::surplus(std::size_t bytes) const {
  if (bodiless_ || bytes == 0) return {};
  return {std::nullopt, out_of_order(fmt::format("the body has {} bytes more than the reply's "
                                                 "Content-Length",
                                                 bytes))};
}

ReplyCourse::Step ReplyCourse::body(std::size_t bytes, More more) {
  if (stage_ == Stage::unstarted) {
    return {std::nullopt, out_of_order("http.response.body was sent before http.response.start")};
  }
  if (body_told_ || stage_ == Stage::broken) {
    return {std::nullopt,
            out_of_order("http.response.body was sent behind the end of the body, which an event "
                         "without a true more_body is")};
  }
  const bool last = more == More::no;
  body_told_ = last;
  if (stage_ == Stage::ended) return surplus(bytes);
  if (bodiless_) return {depart(0, Then::end), std::nullopt};
  if (remaining_ && bytes > *remaining_) {
    const std::size_t excess = bytes - *remaining_;
    const Departure rest = depart(*remaining_, Then::end);
    return {rest, surplus(excess).refusal};
  }
  if (remaining_ && last && bytes < *remaining_) {
    const Departure rest = depart(bytes, Then::more);
    stage_ = Stage::broken;
    return {rest, out_of_order(fmt::format("the body has {} bytes less than the reply's "
                                           "Content-Length",
                                           *remaining_))};
  }
  // A length of 0 does not end the reply by itself: only a byte, or the application, does.
  const bool fulfilled = remaining_ && bytes == *remaining_ && bytes != 0;
  if ((last || fulfilled) && !trailers_follow_) return {depart(bytes, Then::end), std::nullopt};
  if (bytes == 0 && stage_ == Stage::open) return {};
  return {depart(bytes, Then::pause), std::nullopt};
}

ReplyCourse::Step ReplyCourse::trailers(More more) {
  const auto refuse = [](std::string_view why) {
    return Step{std::nullopt, out_of_order(fmt::format("http.response.trailers was sent {}", why))};
  };
  if (stage_ == Stage::unstarted) return refuse("before http.response.start");
  if (!trailers_follow_) return refuse("although http.response.start had no true 'trailers'");
  if (!body_told_) return refuse("before the end of the body");
  if (trailers_told_) {
    return refuse("behind the last one, which an event without a true more_trailers is");
  }
  trailers_told_ = more == More::no;
  if (!trailers_told_ || stage_ != Stage::open) return {};
  return {depart(0, Then::end), std::nullopt};
}

Verdict ReplyCourse::hint() const {
  if (stage_ == Stage::unstarted || stage_ == Stage::held) return std::nullopt;
  return out_of_order("http.response.early_hint was sent behind the head of the reply");
}

ReplyCourse::Ending ReplyCourse::ending() const noexcept {
  switch (stage_) {
    case Stage::unstarted:
    case Stage::held:
      return Ending::unanswered;
    case Stage::ended:
      return Ending::complete;
    case Stage::open:
    case Stage::broken:
      break;
  }
  return Ending::broken;
}

}  // namespace pyhost::asgi

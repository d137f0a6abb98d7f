// The order in which an application sends its reply, and what of it leaves when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "asgi/refusal.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::asgi {

// Decides, for the events of one reply (ASGI HTTP, "Response Start" and "Response Body"), whether
// they are in order, and what leaves for the client. The head waits for the first event of the
// body, so that a reply that is complete with it leaves as one part. Knows neither Python nor time.
class ReplyCourse {
 public:
  explicit ReplyCourse(bool answers_head) noexcept : bodiless_(answers_head) {}

  enum class Stage {
    unstarted,
    held,    // the head is known and has not left
    open,    // it has left, and more is due
    ended,   // the client has, or gets, the complete reply
    broken,  // it never will
  };
  Stage stage() const noexcept { return stage_; }

  // What is to be offered to the channel, as one part.
  struct Departure {
    bool head = false;      // with the head
    std::size_t bytes = 0;  // of the event's body, from its beginning
    gateway::ReplyPart::Then then = gateway::ReplyPart::Then::pause;

    bool operator==(const Departure&) const = default;
  };

  // An http.response.start. Where trailers follow, the body does not end the reply.
  enum class Trailers { none, follow };
  Verdict start(int status, std::optional<std::uint64_t> content_length,
                Trailers trailers = Trailers::none);

  enum class More { yes, no };
  // An http.response.body. What leaves does so although the event is refused.
  struct Step {
    std::optional<Departure> departure;
    Verdict refusal;
  };
  Step body(std::size_t bytes, More more);

  // An http.response.trailers. Nothing leaves where there are more to come, or nobody gets any.
  Step trailers(More more);

  // Whether headers may still be told before the reply's own (RFC 8297): its head has not left.
  Verdict hint() const;

  // The head is not to wait any longer, if it does.
  std::optional<Departure> release_head() noexcept;

  // The application has ended, whether it has returned or raised.
  enum class Ending {
    complete,
    unanswered,  // nothing has left: the client can be told that it failed
    broken,
  };
  Ending ending() const noexcept;

 private:
  Step surplus(std::size_t bytes) const;
  Departure depart(std::size_t bytes, gateway::ReplyPart::Then then) noexcept;

  Stage stage_ = Stage::unstarted;
  bool bodiless_;                           // HEAD, 204, 304: the length promises nothing
  std::optional<std::uint64_t> remaining_;  // of Content-Length
  bool trailers_follow_ = false;
  bool body_told_ = false;      // the application has sent the end of its body
  bool trailers_told_ = false;  // and of its trailers
};

}  // namespace pyhost::asgi

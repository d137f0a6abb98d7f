// What an application receives of its request, and when.
#pragma once

#include "pyhost/gateway/channel.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::asgi {

// Decides what a receive() of one exchange gives (ASGI HTTP, "Request" and "Disconnect"): the body
// in pieces, of which the last one that has bytes says so; then nothing until the client leaves or
// has its reply, and http.disconnect ever after. Knows neither Python nor channels.
class ReceiveCourse {
 public:
  enum class Next {
    look,        // Channel::take_body(), and found()
    wait,        // until something has happened
    disconnect,  // http.disconnect
    fail,        // the body has the fault()
  };
  Next next() const noexcept;

  enum class Found {
    request,     // http.request with the bytes, and more_body()
    nothing,     // ask for more, and wait
    disconnect,  // http.disconnect
    fail,        // the body has the fault()
  };
  Found found(const gateway::BodyPiece& piece) noexcept;

  // Of the last piece.
  bool more_body() const noexcept { return !complete_; }
  gateway::BodyFault fault() const noexcept { return fault_; }

  // The client has left. What had arrived before is still received.
  void client_left() noexcept { gone_ = true; }
  // The client has its reply: the connection may be another request's.
  void replied() noexcept { replied_ = true; }

 private:
  bool complete_ = false;
  bool gone_ = false;
  bool replied_ = false;
  gateway::BodyFault fault_ = gateway::BodyFault::none;
};

}  // namespace pyhost::asgi

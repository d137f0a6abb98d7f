#include "asgi/receive_course.h"

namespace pyhost::asgi {

using gateway::BodyFault;

ReceiveCourse::Next ReceiveCourse::next() const noexcept {
  if (replied_) return Next::disconnect;
  if (fault_ == BodyFault::client_gone) return Next::disconnect;
  if (fault_ != BodyFault::none) return Next::fail;
  if (!complete_) return Next::look;
  return gone_ ? Next::disconnect : Next::wait;
}

ReceiveCourse::Found ReceiveCourse::found(const gateway::BodyPiece& piece) noexcept {
  complete_ = piece.complete;
  fault_ = piece.fault;
  if (!piece.bytes.empty() || complete_) return Found::request;
  if (fault_ != BodyFault::none) {
    return fault_ == BodyFault::client_gone ? Found::disconnect : Found::fail;
  }
  return gone_ ? Found::disconnect : Found::nothing;
}

}  // namespace pyhost::asgi

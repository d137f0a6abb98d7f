#include "websocket/socket_course.h"

#include <utility>

#include "websocket/frame_writer.h"
#include "websocket/protocol.h"

namespace pyhost::websocket {

using Step = SocketCourse::Step;

// --- Ways to end -----------------------------------------------------------------------------

Step SocketCourse::send_close(int code, std::string_view reason) {
  stage_ = Stage::closing;
  disconnect_ = {code, std::string(reason)};
  return {.frame = close_frame(code, reason), .awaits_close = true};
}

Step SocketCourse::end(std::string frame, int told_code, std::string_view told_reason) {
  stage_ = Stage::ended;
  disconnect_ = {told_code, std::string(told_reason)};
  return {.frame = std::move(frame), .ends = true};
}

// The application knows why.
Step SocketCourse::end_silently() noexcept {
  if (stage_ != Stage::closing) return {};
  stage_ = Stage::ended;
  return {.ends = true};
}

// --- The application -------------------------------------------------------------------------

void SocketCourse::accept() noexcept {
  if (stage_ == Stage::offered) stage_ = Stage::open;
}

void SocketCourse::refuse() {
  if (stage_ == Stage::offered) static_cast<void>(end({}, kCloseLost, {}));
}

Step SocketCourse::close(int code, std::string_view reason) {
  drops_unread_ = true;
  return stage_ == Stage::open ? send_close(code, reason) : Step();
}

Step SocketCourse::return_open() {
  return close(kCloseNormal, {});
}

Step SocketCourse::raise_open() {
  return close(kCloseInternalError, {});
}

// --- The client ------------------------------------------------------------------------------

Step SocketCourse::hear_close(int code, std::string_view reason) {
  if (stage_ != Stage::open) return end_silently();
  return end(close_frame(code, {}), code, reason);
}

Step SocketCourse::hear_fault(int code, std::string_view why) {
  if (stage_ != Stage::open) return end_silently();
  return end(close_frame(code, why), code, why);
}

Step SocketCourse::lose() {
  if (stage_ == Stage::closing || stage_ == Stage::ended) return end_silently();
  return end({}, kCloseLost, {});
}

Step SocketCourse::miss_pong() {
  if (stage_ != Stage::open) return end_silently();
  return end(close_frame(kCloseInternalError, "no Pong"), kCloseLost, {});
}

Step SocketCourse::close_overdue() noexcept {
  return end_silently();
}

// --- The server ------------------------------------------------------------------------------

Step SocketCourse::leave(gateway::Leaving why) {
  if (stage_ != Stage::open) return {};
  const bool restarts = why == gateway::Leaving::restart;
  return send_close(restarts ? kCloseServiceRestart : kCloseGoingAway, {});
}

}  // namespace pyhost::websocket

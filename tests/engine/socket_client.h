// The client of a WebSocket in an engine test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/asgi_fixture.h"
#include "harness/client_frames.h"

namespace pyhost::test {

// Sends frames, and tells what it gets in words.
class SocketClient {
 public:
  // Asks a script for a WebSocket; the environ of the request is added to.
  explicit SocketClient(AsgiScript& script, FakeRequest request = {}, bool takes = true);

  void send(const ClientFrame& frame) { channel_->send_body(bytes_of(frame)); }
  void send(std::string text) { send(text_frame(std::move(text))); }
  void send_bytes(std::string bytes) { channel_->send_body(std::move(bytes)); }
  void close(int code, std::string_view reason = {}) { send(close_frame_of(code, reason)); }
  // It closes its side of the connection.
  void hang_up() { channel_->send_body("", {.complete = true}); }

  // The next frame: "text hello", "bytes 4", "ping", "pong x", "close 1000 why", with "+" in front
  // of one that is not the last of its message; "end" when the connection has ended, "answer 403"
  // when there is none.
  std::string next();
  // The rest up to the end, separated by ", ".
  std::string rest();

  FakeChannel& channel() noexcept { return *channel_; }

 private:
  std::unique_ptr<FakeChannel> channel_;
  std::size_t taken_ = 0;
};

}  // namespace pyhost::test

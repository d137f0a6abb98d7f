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

// A script that has `await accept(receive, send, **more)`, `await say(send, value)`, which sends
// the repr of a value, and `await failure(awaitable)`, which gives what that raises.
std::unique_ptr<AsgiScript> socket_script(std::string_view source);

// An application that sends back what it receives, and prints how it was closed.
inline constexpr std::string_view kEchoes = R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    while True:
        event = await receive()
        if event['type'] == 'websocket.disconnect':
            print(event['code'], event['reason'])
            break
        await send({'type': 'websocket.send', 'text': event['text'], 'bytes': event['bytes']})
)";

}  // namespace pyhost::test

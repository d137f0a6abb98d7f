// pyhost-worker with WebSockets in it; the test is a httpd child and its clients.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "daemon/played_worker.h"
#include "daemon/worker_fixture.h"
#include "harness/client_frames.h"
#include "harness/process.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;
using wire::FrameType;
using wire::Io;

constexpr std::string_view kEchoes = R"(
import mod_wsgi
@mod_wsgi.subscribe_shutdown
def told(*args, **kwargs):
    print('told of the end')
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.accept'})
    while True:
        event = await receive()
        if event['type'] == 'websocket.disconnect':
            print('closed with', event['code'])
            break
        await send({'type': 'websocket.send', 'text': event['text'], 'bytes': event['bytes']})
)";

// One client, and the connection to the worker that a child has for it.
class Socket {
 public:
  Socket(wire::Connection connection, const std::string& script)
      : connection_(std::move(connection)) {
    std::string request;
    wire::encode_greeting({}, request);
    EXPECT_TRUE(wire::encode_request({.target = {.process_group = "blog",
                                                 .script = script,
                                                 .protocol = gateway::Protocol::detected},
                                      .head = {.web_socket = gateway::WebSocketOffer::valid}},
                                     request));
    send_text(connection_, request);
    take_frame(connection_, FrameType::hello);
  }

  // The status of the head.
  int status() {
    wire::Frame frame;
    while (connection_.read_frame(frame, kPatience) == Io::done) {
      std::vector<gateway::Header> headers;
      std::vector<gateway::Annotation> annotations;
      if (frame.type != FrameType::head) continue;
      const auto head = wire::decode_head(frame.payload, headers, annotations);
      return head ? head->status : 0;
    }
    return 0;
  }

  void send(const ClientFrame& client_frame) {
    std::string frame;
    wire::encode_body(FrameType::body, bytes_of(client_frame), frame);
    send_text(connection_, frame);
  }
  void leave(gateway::Leaving why) {
    std::string frame;
    wire::encode_leave(why, frame);
    send_text(connection_, frame);
  }

  // So many bytes for the client; fewer at the end.
  std::string receive(std::size_t bytes) {
    while (received_.size() < bytes && take()) {
    }
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, taken.size());
    return taken;
  }
  // Whether END comes next.
  bool ends() {
    while (take()) {
    }
    return ended_;
  }

  // What was logged of it until then.
  const std::string& records() const { return records_; }

 private:
  // Reads on; false at the end.
  bool take() {
    wire::Frame frame;
    if (connection_.read_frame(frame, kPatience) != Io::done) return false;
    if (frame.type == FrameType::reply_body) received_ += frame.payload;
    if (frame.type == FrameType::log) records_ += frame.payload;
    ended_ = frame.type == FrameType::end;
    return !ended_;
  }

  wire::Connection connection_;
  std::string received_;
  std::string records_;
  bool ended_ = false;
};

class SocketWorker : public WorkerProcess {
 protected:
  void SetUp() override {
    worker_.group.interface = gateway::Protocol::asgi;
    worker_.group.websocket_drain = std::chrono::milliseconds(500);
  }
  std::unique_ptr<Socket> open(const std::string& script) {
    auto socket = std::make_unique<Socket>(connect_to(0), script);
    EXPECT_EQ(socket->status(), 101);
    return socket;
  }
};

TEST_F(SocketWorker, EchoesMessages) {
  const std::string echo = script("echo.py", kEchoes);
  spawn_and_wait();
  const auto socket = open(echo);
  socket->send(text_frame("hello"));
  EXPECT_EQ(socket->receive(7), "\x81\x05hello");
  const std::string large(300'000, 'x');
  std::string_view rest = large;
  bool first = true;
  while (!rest.empty()) {
    const std::string piece(rest.substr(0, 50'000));
    rest.remove_prefix(piece.size());
    socket->send({.opcode = first ? 2U : 0U, .payload = piece, .is_final = rest.empty()});
    first = false;
  }
  const std::size_t heads = 4 * 10 + 4;
  EXPECT_EQ(socket->receive(large.size() + heads).size(), large.size() + heads);
  socket->send(close_frame_of(1000));
  EXPECT_EQ(socket->receive(4), "\x88\x02\x03\xe8");
  EXPECT_TRUE(socket->ends());
  EXPECT_TRUE(wait_until([&] { return log().find("closed with 1000") != log().npos; }));
}

TEST_F(SocketWorker, HasManySocketsAtATime) {
  const std::string echo = script("echo.py", kEchoes);
  spawn_and_wait();
  std::vector<std::unique_ptr<Socket>> sockets;
  for (int i = 0; i < 50; ++i) sockets.push_back(open(echo));
  for (const auto& socket : sockets) socket->send(text_frame("hi"));
  for (const auto& socket : sockets) EXPECT_EQ(socket->receive(4), "\x81\x02hi");
}

TEST_F(SocketWorker, ClosesThemWith1012WhenItIsReplaced) {
  const std::string echo = script("echo.py", kEchoes);
  spawn_and_wait();
  std::vector<std::unique_ptr<Socket>> sockets;
  for (int i = 0; i < 10; ++i) sockets.push_back(open(echo));
  ::kill(pid_, SIGTERM);
  for (const auto& socket : sockets) {
    EXPECT_EQ(socket->receive(4), "\x88\x02\x03\xf4");
    socket->send(close_frame_of(1012));
    EXPECT_TRUE(socket->ends());
    EXPECT_THAT(socket->records(), HasSubstr("closed with 1012"));
  }
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), HasSubstr("told of the end"));
}

TEST_F(SocketWorker, LeavesAClientWhoseHttpdEnds) {
  const std::string echo = script("echo.py", kEchoes);
  spawn_and_wait();
  const auto socket = open(echo);
  socket->leave(gateway::Leaving::stop);
  EXPECT_EQ(socket->receive(4), "\x88\x02\x03\xe9");
  socket->send(close_frame_of(1001));
  EXPECT_TRUE(socket->ends());
}

TEST_F(SocketWorker, TellsTheApplicationOfAClientThatIsLost) {
  const std::string echo = script("echo.py", kEchoes);
  spawn_and_wait();
  open(echo).reset();
  EXPECT_TRUE(wait_until([&] { return log().find("closed with 1006") != log().npos; }));
}

// A request that is interrupted says that the time is over.
TEST_F(SocketWorker, HoldsNoSocketToRequestTimeout) {
  worker_.group.request_timeout = std::chrono::milliseconds(200);
  worker_.group.interrupt_timeout = std::chrono::seconds(30);
  const std::string echo = script("echo.py", kEchoes);
  const std::string slow = script("slow.py", R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await asyncio.sleep(1000)
)");
  spawn_and_wait();
  const auto socket = open(echo);
  FakeExchange exchange;
  EXPECT_EQ(engine()
                .run({.process_group = "blog", .script = slow, .protocol = gateway::Protocol::asgi},
                     exchange)
                .status,
            504);
  socket->send(text_frame("still"));
  EXPECT_EQ(socket->receive(7), "\x81\x05still");
}

}  // namespace
}  // namespace pyhost::test

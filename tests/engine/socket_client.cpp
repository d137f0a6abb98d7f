#include "engine/socket_client.h"

#include <fmt/format.h>

#include <optional>

namespace pyhost::test {
namespace {

struct ServerFrame {
  unsigned first;
  std::string payload;
  std::size_t bytes;  // of it all
};

std::optional<ServerFrame> frame_at_front(std::string_view bytes) {
  const auto byte = [&](std::size_t at) {
    return std::uint64_t(static_cast<unsigned char>(bytes[at]));
  };
  if (bytes.size() < 2) return std::nullopt;
  EXPECT_EQ(byte(1) & 0x80U, 0u) << "a server masks nothing";
  std::uint64_t length = byte(1);
  const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes.size() < 2 + length_bytes) return std::nullopt;
  if (length_bytes != 0) length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8U | byte(2 + i);
  const std::size_t begin = 2 + length_bytes;
  if (bytes.size() < begin + length) return std::nullopt;
  return ServerFrame{unsigned(byte(0)), std::string(bytes.substr(begin, length)), begin + length};
}

std::string words_of(const ServerFrame& frame) {
  const std::string mark = (frame.first & 0x80U) == 0 ? "+" : "";
  const std::string compressed = (frame.first & 0x40U) != 0 ? "deflated " : "";
  const std::string& payload = frame.payload;
  switch (frame.first & 0x0FU) {
    case 0:
      return fmt::format("{}more {}", mark, payload.size());
    case 1:
      return mark + compressed + "text " +
             (payload.size() > 200 ? fmt::to_string(payload.size()) : payload);
    case 2:
      return fmt::format("{}{}bytes {}", mark, compressed, payload.size());
    case 8: {
      if (payload.empty()) return "close";
      const int code = int(static_cast<unsigned char>(payload[0])) << 8 |
                       int(static_cast<unsigned char>(payload[1]));
      return fmt::format("close {}{}{}", code, payload.size() > 2 ? " " : "", payload.substr(2));
    }
    case 9:
      return "ping";
    case 10:
      return "pong " + payload;
    default:
      return "unknown";
  }
}

}  // namespace

SocketClient::SocketClient(AsgiScript& script, FakeRequest request, bool takes) {
  if (request.web_socket == gateway::WebSocketOffer::none) {
    request.web_socket = gateway::WebSocketOffer::valid;
  }
  channel_ = script.request({.request = std::move(request), .takes = takes});
}

std::string SocketClient::next() {
  std::size_t wanted = taken_;
  while (true) {
    const std::string bytes = channel_->wait_for_stream(wanted);
    const std::string all = wanted == taken_ ? bytes : channel_->wait_for_stream(taken_);
    if (const auto frame = frame_at_front(all)) {
      taken_ += frame->bytes;
      return words_of(*frame);
    }
    if (channel_->stream_ended()) {
      if (taken_ != 0 || !all.empty() || channel_->exchange().status() == 101) return "end";
      return fmt::format("answer {}", channel_->exchange().has_head()
                                          ? channel_->exchange().status()
                                          : channel_->outcome().status);
    }
    wanted = taken_ + all.size();
  }
}

std::string SocketClient::rest() {
  std::string all;
  while (true) {
    const std::string one = next();
    all += (all.empty() ? "" : ", ") + one;
    if (one == "end" || one.starts_with("answer")) return all;
  }
}

std::unique_ptr<AsgiScript> socket_script(std::string_view source) {
  constexpr std::string_view kWords = R"(
import asyncio
async def accept(receive, send, **more):
    assert (await receive()) == {'type': 'websocket.connect'}
    await send({'type': 'websocket.accept', **more})

async def say(send, value):
    await send({'type': 'websocket.send', 'text': repr(value)})

async def failure(awaitable):
    try:
        return await awaitable
    except Exception as error:
        return [base.__name__ for base in type(error).__mro__[:2]] + [str(error)]
)";
  return std::make_unique<AsgiScript>(std::string(kWords) + std::string(source));
}

}  // namespace pyhost::test

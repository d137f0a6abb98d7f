#include "harness/web_socket_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace pyhost::test {
namespace {

using base::Clock;

constexpr int kClose = 8;
constexpr int kPing = 9;

std::string with_length(std::string head, std::size_t length, unsigned mask_bit) {
  const auto put = [&](unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;) head += static_cast<char>(length >> 8 * i & 0xff);
  };
  if (length < 126) {
    head += static_cast<char>(mask_bit | length);
  } else if (length < 65'536) {
    head += static_cast<char>(mask_bit | 126);
    put(2);
  } else {
    head += static_cast<char>(mask_bit | 127);
    put(8);
  }
  return head;
}

}  // namespace

WebSocketClient::WebSocketClient(int port, std::string_view path, std::string_view more)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ADD_FAILURE() << "connecting to port " << port << ": " << std::strerror(errno);
    return;
  }
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n");
  request.append("Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  request.append("Sec-WebSocket-Key: ").append(kKey).append("\r\n").append(more).append("\r\n");
  send_bytes(request);
  const auto deadline = Clock::now() + kPatience;
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (receive_some(deadline)) continue;
    ADD_FAILURE() << "no answer to the handshake; received:\n" << received_;
    return;
  }
  head_ = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  status_ = std::atoi(head_.c_str() + std::strlen("HTTP/1.1 "));
}

std::string WebSocketClient::masked_frame(int opcode, std::string_view payload) {
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  constexpr unsigned kMasked = 0x80;
  std::string frame =
      with_length(std::string(1, static_cast<char>(0x80 | opcode)), payload.size(), kMasked);
  frame += kMask;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ kMask[i % kMask.size()]);
  }
  return frame;
}

void WebSocketClient::send(int opcode, std::string_view payload) {
  send_bytes(masked_frame(opcode, payload));
}

void WebSocketClient::send_close(int code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  send(kClose, {payload, sizeof payload});
}

void WebSocketClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      ADD_FAILURE() << "sending: " << std::strerror(errno);
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool WebSocketClient::send_some(std::string_view bytes) {
  const ssize_t sent =
      ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent >= 0 || errno == EAGAIN;
}

bool WebSocketClient::receive_some(Clock::time_point deadline) {
  if (ended_) return false;
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0 || poll(&ready, 1, base::poll_timeout(left)) <= 0) return false;
  std::array<char, 65'536> buffer;
  const ssize_t bytes = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (bytes <= 0) {
    ended_ = true;
    was_reset_ = bytes < 0;
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return true;
}

bool WebSocketClient::receive_up_to(std::size_t bytes, Clock::time_point deadline) {
  while (received_.size() < bytes) {
    if (!receive_some(deadline)) return false;
  }
  return true;
}

std::optional<WebSocketFrame> WebSocketClient::read(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    if (!receive_up_to(2, deadline)) return std::nullopt;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(received_[i]); };
    std::size_t length = byte(1) & 0x7f;
    const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!receive_up_to(2 + more, deadline)) return std::nullopt;
    if (more != 0) length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | byte(2 + i);
    if (!receive_up_to(2 + more + length, deadline)) return std::nullopt;
    WebSocketFrame frame{.opcode = byte(0) & 0xf, .payload = received_.substr(2 + more, length)};
    received_.erase(0, 2 + more + length);
    if (frame.opcode != kPing) return frame;
    send(10, frame.payload);
  }
}

int WebSocketClient::read_close(std::chrono::milliseconds patience) {
  while (const auto frame = read(patience)) {
    if (frame->opcode != kClose) continue;
    const bool has_code = frame->payload.size() >= 2;
    const int code = has_code ? static_cast<unsigned char>(frame->payload[0]) << 8 |
                                    static_cast<unsigned char>(frame->payload[1])
                              : 1005;
    static_cast<void>(send_some(masked_frame(kClose, frame->payload.substr(0, 2))));
    return code;
  }
  if (!ended_) ADD_FAILURE() << "the server keeps the socket open";
  return kNoCloseFrame;
}

bool WebSocketClient::is_closed(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (receive_some(deadline)) continue;
  return ended_;
}

void WebSocketClient::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

}  // namespace pyhost::test

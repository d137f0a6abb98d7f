// A client of WebSockets that knows every byte.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/wait.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

inline constexpr int kNoCloseFrame = 1006;

struct WebSocketFrame {
  int opcode = 0;  // 1 text, 2 binary, 8 close, 9 ping, 10 pong
  std::string payload;
};

// Over HTTP/1.1 without TLS. Whatever fails but what is returned fails the running test.
class WebSocketClient {
 public:
  // The key and the answer to it of RFC 6455, 1.3.
  static constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
  static constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

  // Connects to 127.0.0.1 and waits for the answer to the handshake. `more` is lines of it, each
  // with its end.
  WebSocketClient(int port, std::string_view path, std::string_view more = {});

  int status() const noexcept { return status_; }
  // Of the answer, with its lines.
  const std::string& head() const noexcept { return head_; }
  bool is_open() const noexcept { return status_ == 101; }

  void send_text(std::string_view text) { send(1, text); }
  void send(int opcode, std::string_view payload);
  void send_close(int code);
  // As many bytes as go without waiting; false when the connection has failed.
  bool send_some(std::string_view bytes);

  // The next frame but pings; nothing when the connection has ended.
  std::optional<WebSocketFrame> read(std::chrono::milliseconds patience = kPatience);
  // The payload of the next frame; "" when there is none.
  std::string read_text() { return read().value_or(WebSocketFrame{}).payload; }
  // Reads up to a Close frame, and answers that: its code, or 1006 when the connection ends without
  // one.
  int read_close(std::chrono::milliseconds patience = kPatience);
  // Whether the server closes the connection.
  bool is_closed(std::chrono::milliseconds patience = kPatience);
  // Whether it was closed by a reset.
  bool was_reset() const noexcept { return was_reset_; }

  // Closes with a reset.
  void abort();
  int fd() const noexcept { return socket_.get(); }

  static std::string masked_frame(int opcode, std::string_view payload);

 private:
  bool receive_some(std::chrono::steady_clock::time_point deadline);
  bool receive_up_to(std::size_t bytes, std::chrono::steady_clock::time_point deadline);
  void send_bytes(std::string_view bytes);

  base::UniqueFd socket_;
  std::string received_;
  std::string head_;
  int status_ = 0;
  bool ended_ = false;
  bool was_reset_ = false;
};

}  // namespace pyhost::test

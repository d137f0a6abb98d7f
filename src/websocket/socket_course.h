// How a WebSocket comes to its end.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "pyhost/gateway/leaving.h"

namespace pyhost::websocket {

// How long a client that was sent a Close has for its own before its connection is closed. A
// connection that is closed at once may be reset, and the client never see the Close.
inline constexpr std::chrono::seconds kCloseWait{5};

// Decides who closes a WebSocket, with which code, what the application is told of it, and what is
// waited for (RFC 6455, 7). Knows neither time nor connections. Whatever happens may happen at any
// stage; what comes too late changes nothing.
class SocketCourse {
 public:
  enum class Stage {
    offered,  // the application has not answered the handshake
    open,
    closing,  // a Close was sent, and the client's is waited for
    ended,
  };
  Stage stage() const noexcept { return stage_; }

  // What is to be done.
  struct Step {
    std::string frame = {};     // is to be sent, if it is not empty
    bool awaits_close = false;  // close_overdue() is due in kCloseWait
    bool ends = false;          // the connection, behind the frame

    bool operator==(const Step&) const = default;
  };

  // What the application is told by websocket.disconnect; nothing while nothing has ended.
  struct Disconnect {
    int code;
    std::string reason;

    bool operator==(const Disconnect&) const = default;
  };
  const std::optional<Disconnect>& disconnect() const noexcept { return disconnect_; }

  // Whether what the client says is for the application.
  bool takes_messages() const noexcept { return stage_ == Stage::open; }
  // Whether messages that have come and were not received are dropped: the application has closed.
  bool drops_unread() const noexcept { return drops_unread_; }

  // --- The application ---
  // Without effect when the client has left before.
  void accept() noexcept;
  // It has answered otherwise than by accepting.
  void refuse();
  Step close(int code, std::string_view reason);
  Step return_open();
  Step raise_open();

  // --- The client ---
  Step hear_close(int code, std::string_view reason);
  // What it sends breaks the protocol, or a limit.
  Step hear_fault(int code, std::string_view why);
  Step lose();
  // It has not answered a Ping.
  Step miss_pong();
  Step close_overdue() noexcept;

  // --- The server ---
  Step leave(gateway::Leaving why);

 private:
  Step send_close(int code, std::string_view reason);
  Step end(std::string frame, int told_code, std::string_view told_reason);
  Step end_silently() noexcept;

  Stage stage_ = Stage::offered;
  bool drops_unread_ = false;
  std::optional<Disconnect> disconnect_;
};

}  // namespace pyhost::websocket

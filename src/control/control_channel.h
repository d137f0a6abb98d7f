// Messages between httpd's parent and the supervisor: a number, a text of any length and any number
// of descriptors, over a SOCK_SEQPACKET socket.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/unix_socket.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::control {

struct ControlMessage {
  std::uint64_t number = 0;  // of a request; its answer repeats it
  std::string text;
  std::vector<base::UniqueFd> descriptors;
  std::string problem;  // why it has not come as it was sent; "" when it has
};

// The two ends, close-on-exec. The supervisor's gets the sender of each packet from the kernel.
struct ControlChannel {
  base::UniqueFd httpd;
  base::UniqueFd supervisor;
};

inline constexpr std::size_t kTextBytesMax = 256u << 20;

base::Result<ControlChannel> make_control_channel();

// The text travels in a sealed memory file, so that no socket buffer limits it. Descriptors stay
// the caller's. Fails when the peer has gone, or does not take it within `patience`.
base::Result<> send_message(int channel, std::uint64_t number, std::string_view text,
                            std::span<const int> descriptors, std::chrono::milliseconds patience);

// The process whose messages count.
using Sender = os::Peer;

// Puts together what comes over a channel, which stays the caller's. Never waits. Not synchronised.
class ControlReceiver {
 public:
  // With `sender`, only what the kernel says that process has sent counts: whoever else holds a
  // copy of the other end is refused.
  explicit ControlReceiver(int channel, std::optional<Sender> sender = std::nullopt) noexcept
      : channel_(channel), sender_(sender) {}

  // The next complete message; nothing when none has come yet, or none will. One that
  // send_message() has not made, or whose descriptors this process has no room for, has a problem;
  // the next one may be good.
  std::optional<ControlMessage> read();

  // Whether the peer has gone and everything was read.
  bool at_end() const noexcept { return at_end_; }

  // Who else has sent something since the last call.
  std::optional<Sender> take_stranger() noexcept { return std::exchange(stranger_, std::nullopt); }

 private:
  struct Packet;

  std::optional<Packet> receive_packet();
  std::optional<ControlMessage> add(Packet packet);
  bool is_from_sender(const Packet& packet) const noexcept;

  const int channel_;
  const std::optional<Sender> sender_;
  ControlMessage pending_;
  std::optional<Sender> stranger_;
  bool at_end_ = false;
};

// Waits for the message of that number, and drops those before it. Fails when it does not come in
// time and when the peer has gone.
base::Result<ControlMessage> await_message(ControlReceiver& receiver, int channel,
                                           std::uint64_t number,
                                           std::chrono::milliseconds patience);

// A sealed, close-on-exec memory file, read from its start.
base::Result<base::UniqueFd> make_memory_file(const char* name, std::string_view text);

}  // namespace pyhost::control

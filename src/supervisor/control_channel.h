// Messages between httpd's parent and the supervisor: a text of any length and some descriptors,
// over a SOCK_SEQPACKET socket.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {

struct ControlMessage {
  std::string text;
  std::vector<base::UniqueFd> descriptors;
};

// What the kernel passes at most at once, less the one for the text.
inline constexpr std::size_t kDescriptorsMax = 252;
inline constexpr std::size_t kTextBytesMax = 64u << 20;

// Both ends, close-on-exec.
base::Result<std::pair<base::UniqueFd, base::UniqueFd>> make_control_channel();

// The text travels in a sealed memory file, so that no socket buffer limits it. Descriptors stay
// the caller's. Fails when the peer has gone.
base::Result<> send_message(int channel, std::string_view text, std::span<const int> descriptors);

// The next message; nothing when the peer has gone. Fails when none comes in time (no limit when
// `patience` is nothing) and for one that send_message() has not made.
base::Result<std::optional<ControlMessage>> receive_message(
    int channel, std::optional<std::chrono::milliseconds> patience = std::nullopt);

// A sealed, close-on-exec memory file, read from its start.
base::Result<base::UniqueFd> make_memory_file(const char* name, std::string_view text);

}  // namespace pyhost::supervisor

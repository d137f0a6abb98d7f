// How a httpd child reaches the workers of one process group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "pyhost/gateway/group_secret.h"

namespace pyhost::remote {

// How long a client may be gone without being noticed, be it that it has no connection of its own
// or that httpd has closed that, which does not end a poll(). The death of a worker may not end one
// either.
inline constexpr std::chrono::milliseconds kLookInterval{250};

// A timeout of zero is none.
struct RemoteSettings {
  std::string process_group;
  std::vector<std::string> socket_paths;  // one for each row of the scoreboard
  // Of these, the first of so many is that of a slot's worker. The others are for workers that are
  // kept in the slot, if there are any, for scripts that this one cannot run.
  std::uint32_t rows_per_slot = 1;
  std::uint32_t threads = 1;    // of each worker
  uid_t worker_uid = 0;         // whose processes are believed to be workers
  gateway::GroupSecret secret;  // which they want to hear
  // Requests that may wait, over all httpd children, beyond those for the threads of workers that
  // are still starting.
  std::uint32_t queue_max = 100;
  std::chrono::milliseconds queue_timeout{0};
  std::chrono::milliseconds connect_timeout{15'000};  // while no worker is ready
  std::chrono::milliseconds renewal_timeout{60'000};  // instead, while they are being replaced
  std::chrono::milliseconds socket_timeout{60'000};   // between two signs of life of a worker
  // How long a client may take to accept a piece of its reply. Without one the worker's limit
  // applies while the worker is waited for, and httpd's own once the reply is complete.
  std::chrono::milliseconds response_socket_timeout{0};
  // How much of a reply is read from the worker before the client has taken it.
  std::uint64_t response_buffer_bytes = 8 << 20;
  // How long a pause of the application may be before what there is is sent to the client.
  std::chrono::milliseconds response_flush_delay{5};
  std::size_t header_line_bytes_max = 32 * 1024;  // of the reply; "Name: value" and the line's end
  // Of the workers' sockets; 0 is the system's choice.
  std::uint64_t send_buffer_bytes = 0;
  std::uint64_t receive_buffer_bytes = 0;
  // For request bodies over 64 KiB, and replies that clients are slow to take.
  std::string temporary_folder = "/tmp";
};

}  // namespace pyhost::remote

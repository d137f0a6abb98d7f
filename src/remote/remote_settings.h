// How a httpd child reaches the workers of one process group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "pyhost/gateway/group_secret.h"
#include "settings/process_group.h"

namespace pyhost::remote {

// How long a client may be gone without being noticed, be it that it has no connection of its own
// or that httpd has closed that, which does not end a poll(). The death of a worker may not end one
// either.
inline constexpr std::chrono::milliseconds kLookInterval{250};

struct RemoteSettings {
  settings::ProcessGroup group;
  std::vector<std::string> socket_paths;  // one for each row of the scoreboard
  // Of these, the first of so many is that of a slot's worker. The others are for workers that are
  // kept in the slot, if there are any, for scripts that this one cannot run.
  std::uint32_t rows_per_slot = 1;
  uid_t worker_uid = 0;                              // whose processes are believed to be workers
  gateway::GroupSecret secret;                       // which they want to hear
  std::chrono::milliseconds socket_timeout{60'000};  // as httpd has resolved it; 0: none
  // For request bodies over 64 KiB, and replies that clients are slow to take.
  std::string temporary_folder = "/tmp";
};

}  // namespace pyhost::remote

// How a httpd child reaches the workers of one process group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pyhost::remote {

// A timeout of zero is none.
struct RemoteSettings {
  std::string process_group;
  std::uint32_t group_index = 0;          // on the scoreboard
  std::vector<std::string> socket_paths;  // one for each slot
  uid_t worker_uid = 0;                   // whose processes are believed to be workers
  std::uint32_t queue_max = 100;          // requests that may wait, over all httpd children
  std::chrono::milliseconds queue_timeout{0};
  std::chrono::milliseconds connect_timeout{15'000};  // while no worker is ready
  std::chrono::milliseconds socket_timeout{60'000};   // between two signs of life of a worker
  std::string temporary_folder = "/tmp";              // for request bodies over 64 KiB
};

}  // namespace pyhost::remote

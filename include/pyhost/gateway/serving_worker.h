// Which worker a request was sent to.
#pragma once

#include <cstdint>

namespace pyhost::gateway {

struct ServingWorker {
  std::int32_t pid = 0;    // 0: none, it runs in httpd's child
  std::uint32_t slot = 0;  // its place in the process group
};

}  // namespace pyhost::gateway

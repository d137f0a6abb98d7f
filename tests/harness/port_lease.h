// TCP ports for servers of tests that run at the same time.
#pragma once

#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

// A port of 127.0.0.1 that no other lease of any process on this machine has, held through a lock
// file that the system releases when the process ends, however it ends.
class PortLease {
 public:
  // Takes the next free one; ends the process when there is none.
  PortLease();

  int port() const noexcept { return port_; }

 private:
  base::UniqueFd lock_;
  int port_ = 0;
};

}  // namespace pyhost::test

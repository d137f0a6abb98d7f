// Requests that wait in a child of httpd while its configuration changes.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

// Requests to tests/apps/sleeps.wsgi at / in a group with threads=1: one runs, the others wait.
// All of them have to be answered 200.
class WaitingRequests {
 public:
  explicit WaitingRequests(Httpd& httpd);

 private:
  std::vector<std::jthread> clients_;
};

// A graceful restart that may leave httpd's parent with other descriptors than before. Returns when
// the new configuration is in force; children of before may live on.
void restart_with_other_descriptors(const Httpd& httpd);

}  // namespace pyhost::test

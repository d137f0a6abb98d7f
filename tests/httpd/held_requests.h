// Requests that keep workers busy for as long as a test wants.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

// Requests for /wait of tests/apps/perils.wsgi, which are inside a worker until they are released.
class HeldRequests {
 public:
  // `folder` is one that the worker can write to, for these requests alone.
  HeldRequests(const Httpd& httpd, std::string folder, int count);
  ~HeldRequests() { release(); }

  // Waits until all of them run, at the same time; false when they do not come to it.
  bool all_run() const;
  // Waits for their replies.
  void release();

 private:
  std::string mark(int number) const { return folder_ + "/" + std::to_string(number); }

  const std::string folder_;
  const int count_;
  std::vector<std::jthread> clients_;
};

}  // namespace pyhost::test

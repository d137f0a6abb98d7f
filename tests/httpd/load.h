// Requests that go on while something happens to the server.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

// Clients that ask all the time until the end of its scope; every reply has to be a 200.
class Load {
 public:
  Load(const Httpd& httpd, int clients, const std::string& path = "/") {
    for (int i = 0; i < clients; ++i) {
      clients_.emplace_back([this, &httpd, path] {
        while (!enough_) {
          const Response reply = httpd.get(path);
          EXPECT_EQ(reply.status, 200) << reply;
          ++answered_;
        }
      });
    }
  }
  ~Load() { enough_ = true; }

  // Waits for so many more replies.
  void go_on(int replies) const {
    const int until = answered_ + replies;
    EXPECT_TRUE(wait_until([&] { return answered_ >= until; }));
  }
  // At most for that time.
  void wait_for_reply(std::chrono::milliseconds at_most) const {
    const int before = answered_;
    static_cast<void>(wait_until([&] { return answered_ > before; }, at_most));
  }

 private:
  std::atomic<bool> enough_ = false;
  std::atomic<int> answered_ = 0;
  std::vector<std::jthread> clients_;
};

}  // namespace pyhost::test

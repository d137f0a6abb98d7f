// A TCP connection for tests of the protocol itself.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "harness/wait.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

// For one thread. Every wait has a deadline; one that is missed fails the running test.
class RawConnection {
 public:
  // Connects to 127.0.0.1.
  explicit RawConnection(int port);

  void send(std::string_view bytes);
  // Says that nothing more will be sent; the reply can still be read.
  void finish_sending();
  // Closes with a reset: what a client does that goes away in the middle.
  void abort();

  // Reads until all that was received so far contains `text`, and returns it.
  std::string read_until(std::string_view text, std::chrono::milliseconds patience = kPatience);
  // Reads until the server closes, and returns all that was received from the beginning.
  std::string read_all(std::chrono::milliseconds patience = kPatience);
  // Whether the connection ended with a reset instead of an orderly end. After read_all().
  bool was_reset() const noexcept { return was_reset_; }

 private:
  // False at the end of the connection or when the deadline has passed.
  bool receive_some(std::chrono::steady_clock::time_point deadline);

  base::UniqueFd socket_;
  std::string received_;
  bool ended_ = false;
  bool was_reset_ = false;
};

}  // namespace pyhost::test

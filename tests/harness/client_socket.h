// A client's connection whose other end the test is.
#pragma once

#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

// Takes everything until it stalls. Not synchronised, but for poll() on server_end().
class ClientSocket {
 public:
  ClientSocket();

  // For FakeRequest::client_socket.
  int server_end() const noexcept { return server_.get(); }

  // Takes nothing more: the server's end cannot be written to.
  void stall();
  // Takes everything again.
  void resume();
  // Closes its end.
  void leave() noexcept { client_.reset(); }

 private:
  base::UniqueFd server_;
  base::UniqueFd client_;
};

}  // namespace pyhost::test

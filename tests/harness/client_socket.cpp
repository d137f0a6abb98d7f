#include "harness/client_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace pyhost::test {

ClientSocket::ClientSocket() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  server_.reset(ends[0]);
  client_.reset(ends[1]);
}

void ClientSocket::stall() {
  constexpr std::array<char, 4096> kBytes{};
  while (::send(server_.get(), kBytes.data(), kBytes.size(), MSG_NOSIGNAL) > 0) {
  }
}

void ClientSocket::resume() {
  std::array<char, 4096> bytes;
  while (::recv(client_.get(), bytes.data(), bytes.size(), 0) > 0) {
  }
}

}  // namespace pyhost::test

#include "harness/raw_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace pyhost::test {

RawConnection::RawConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ADD_FAILURE() << "connecting to port " << port << ": " << std::strerror(errno);
  }
}

void RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      ADD_FAILURE() << "sending: " << std::strerror(errno);
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawConnection::finish_sending() {
  shutdown(socket_.get(), SHUT_WR);
}

void RawConnection::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

bool RawConnection::receive_some(base::Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::Clock::now());
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;

  std::array<char, 16'384> buffer;
  const ssize_t bytes = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (bytes <= 0) {
    ended_ = true;
    was_reset_ = bytes < 0;
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return true;
}

std::string RawConnection::read_until(std::string_view text, std::chrono::milliseconds patience) {
  const auto deadline = base::Clock::now() + patience;
  while (received_.find(text) == std::string::npos) {
    if (receive_some(deadline)) continue;
    ADD_FAILURE() << '"' << text << "\" did not come; received until then:\n" << received_;
    break;
  }
  return received_;
}

std::string RawConnection::read_all(std::chrono::milliseconds patience) {
  const auto deadline = base::Clock::now() + patience;
  while (receive_some(deadline)) continue;
  if (!ended_) ADD_FAILURE() << "the server keeps the connection open; received:\n" << received_;
  return received_;
}

}  // namespace pyhost::test

#include "httpd/unix_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>

namespace pyhost::test {

base::UniqueFd unix_socket(int type) {
  base::UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

std::string ask_unix(const std::string& path, const std::string& url) {
  const auto fd = unix_socket(SOCK_STREAM);
  const sockaddr_un address = unix_address(path);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return "";
  }
  const std::string request =
      "GET " + url + " HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(write(fd.get(), request.data(), request.size()), ssize_t(request.size()));
  std::string reply;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    reply.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return reply;
}

}  // namespace pyhost::test

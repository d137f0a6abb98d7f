#include "harness/port_lease.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace pyhost::test {
namespace {

// Below the range from which the kernel takes ports for outgoing connections.
constexpr int kFirstPort = 20'000;
constexpr int kPortCount = 10'000;
constexpr char kLockFolder[] = "/tmp/pyhost-test-ports";

bool is_free(int port) {
  const base::UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

PortLease::PortLease() {
  // Processes start their search apart, so that they seldom meet.
  static std::atomic<int> next = getpid() * 37;
  mkdir(kLockFolder, 0777);
  for (int attempt = 0; attempt < kPortCount; ++attempt) {
    const int port = kFirstPort + static_cast<int>(static_cast<unsigned>(next++) % kPortCount);
    const std::string file = fmt::format("{}/{}", kLockFolder, port);
    base::UniqueFd lock(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!lock.valid() || flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || !is_free(port)) continue;
    lock_ = std::move(lock);
    port_ = port;
    return;
  }
  std::fputs("no free port between 20000 and 29999\n", stderr);
  std::abort();
}

}  // namespace pyhost::test

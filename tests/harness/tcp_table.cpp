#include "harness/tcp_table.h"

#include <cstdio>
#include <fstream>
#include <string>

namespace pyhost::test {
namespace {

// States of /proc/net/tcp in which no process holds a connection.
constexpr unsigned kTimeWait = 0x06;
constexpr unsigned kClose = 0x07;
constexpr unsigned kListen = 0x0A;

}  // namespace

bool has_connections(int port) {
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    unsigned local_port = 0;
    unsigned state = 0;
    unsigned long inode = 0;
    const int fields =
        std::sscanf(line.c_str(), " %*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
                    &local_port, &state, &inode);
    if (fields != 3 || local_port != static_cast<unsigned>(port)) continue;
    // Without an inode the socket was closed and the kernel finishes alone.
    if (state != kListen && state != kTimeWait && state != kClose && inode != 0) return true;
  }
  return false;
}

}  // namespace pyhost::test

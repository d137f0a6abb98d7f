#include "serve/listen_port.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "harness/port_lease.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::serve {
namespace {

using testing::HasSubstr;

TEST(ListenPort, IsTheOneAskedForWhenItIsFree) {
  const test::PortLease lease;
  EXPECT_EQ(find_listen_port({}, "127.0.0.1", lease.port()).value_or(-1), lease.port());
}

TEST(ListenPort, IsAFreeOneForZero) {
  EXPECT_GT(find_listen_port({}, "127.0.0.1", 0).value_or(-1), 0);
}

TEST(ListenPort, IsRefusedWhenAnotherProgramListensThere) {
  const base::UniqueFd other(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(other.get(), generic, length), 0);
  ASSERT_EQ(listen(other.get(), 1), 0);
  ASSERT_EQ(getsockname(other.get(), generic, &length), 0);

  const auto port = find_listen_port({}, "127.0.0.1", ntohs(address.sin_port));
  ASSERT_FALSE(port.has_value());
  EXPECT_THAT(port.error().sentence, HasSubstr("the port is in use by another program"));
}

TEST(ListenPort, IsRefusedForAForeignAddress) {
  const auto port = find_listen_port({}, "203.0.113.1", 8000);
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().sentence, "--host 203.0.113.1 is not an address of this machine");
}

std::string addresses(const std::vector<std::string>& bind) {
  ServeOptions options;
  options.bind = bind;
  const auto found = listen_addresses(options);
  if (!found) return found.error().sentence;
  std::string text;
  for (const ListenAddress& each : *found) text += fmt::format("{}|{} ", each.host, each.port);
  return text;
}

TEST(ListenAddresses, AreThoseOfBind) {
  EXPECT_EQ(addresses({"127.0.0.1:80", "[::1]:81", ":82", "*:83", "localhost:84"}),
            "127.0.0.1|80 ::1|81 |82 |83 localhost|84 ");
  EXPECT_EQ(addresses({}), "127.0.0.1|8000 ");
}

TEST(ListenAddresses, AreRefusedWithoutAPort) {
  for (const char* text : {"127.0.0.1", "::1:80", "host:", "host:http", "host:65536"}) {
    EXPECT_THAT(addresses({text}), HasSubstr("ADDRESS:PORT is needed")) << text;
  }
}

}  // namespace
}  // namespace pyhost::serve

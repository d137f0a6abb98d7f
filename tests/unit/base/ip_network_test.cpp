#include "base/ip_network.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

bool contains(std::string_view network, std::string_view address) {
  const auto parsed = parse_ip_network(network);
  const auto wanted = parse_ip_address(address);
  EXPECT_TRUE(parsed) << network;
  EXPECT_TRUE(wanted) << address;
  return parsed && wanted && parsed->contains(*wanted);
}

TEST(IpAddress, IsReadFromNumbersAlone) {
  for (const char* text : {"127.0.0.1", "255.255.255.255", "::", "::1", "FE80::1", "fe80::1%eth0",
                           "2001:db8::7", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(parse_ip_address(text)) << text;
  }
  for (const char* text : {"", " ", "localhost", "example.com", "10.0.0", "10.0.0.256", "10.0.0.1 ",
                           "010.0.0.1", "0x7f.0.0.1", "2130706433", "10.0.0.1:80", "[::1]",
                           "[::1]:80", ":::1", "1::2::3", "unknown", "10.0.0.1/32", "fe80::1::"}) {
    EXPECT_FALSE(parse_ip_address(text)) << text;
  }
  EXPECT_FALSE(parse_ip_address(std::string_view("10.0.0.1\0.example", 17)));
  EXPECT_FALSE(parse_ip_address(std::string(5000, '1')));
}

TEST(IpAddress, OfIPv4IsTheSameInBothSpellings) {
  EXPECT_EQ(parse_ip_address("::ffff:10.0.0.1"), parse_ip_address("10.0.0.1"));
  EXPECT_TRUE(parse_ip_address("10.0.0.1")->is_v4());
  EXPECT_FALSE(parse_ip_address("::10.0.0.1")->is_v4());
}

TEST(IpNetwork, ContainsWhatItsMaskLeavesOpen) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
  EXPECT_TRUE(contains("192.0.2.7/31", "192.0.2.6"));
  EXPECT_TRUE(contains("172.16.0.0/255.240.0.0", "172.31.1.1"));
  EXPECT_FALSE(contains("172.16.0.0/255.240.0.0", "172.32.1.1"));
  EXPECT_TRUE(contains("10.0.0.7/255.0.0.255", "10.9.9.7"));
  EXPECT_TRUE(contains("fd00::/8", "FDAB::1"));
  EXPECT_FALSE(contains("fd00::/8", "fc00::1"));
  EXPECT_TRUE(contains("FE80::1", "fe80::1%eth0"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::"));
}

TEST(IpNetwork, OfAllAddressesIsOfOneFamily) {
  EXPECT_TRUE(contains("0.0.0.0/0", "198.51.100.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::/0", "198.51.100.1"));
  EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
}

TEST(IpNetwork, MayBeTheBeginningOfAnIPv4Address) {
  EXPECT_TRUE(contains("10", "10.200.0.1"));
  EXPECT_TRUE(contains("10.1", "10.1.200.1"));
  EXPECT_FALSE(contains("10.1", "10.2.0.1"));
  EXPECT_TRUE(contains("192.168.5.", "192.168.5.9"));
}

TEST(IpNetwork, IsNothingElse) {
  for (const char* text : {"",
                           "/",
                           "/8",
                           ".",
                           "10..1",
                           "256",
                           "10.1.2.3.",
                           "10.1/16",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0.0/8 ",
                           "10.0.0.0/ff00::",
                           "10.0.0.0/255.0.0",
                           "fd00::/129",
                           "fd00::/255.0.0.0",
                           "fd00",
                           "proxy.example",
                           "*",
                           "10.0.0.0/8/8",
                           "all"}) {
    EXPECT_FALSE(parse_ip_network(text)) << text;
  }
}

TEST(IpNetwork, IsShownAsItIsRead) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "10.0.0.7/255.0.0.255",
                           "fd00::/8", "fe80::1", "::/0"}) {
    const auto network = parse_ip_network(text);
    ASSERT_TRUE(network) << text;
    EXPECT_EQ(to_string(*network), text);
    EXPECT_EQ(parse_ip_network(to_string(*network)), network);
  }
  EXPECT_EQ(to_string(*parse_ip_network("10.9.8.7/255.0.0.0")), "10.0.0.0/8");
  EXPECT_EQ(to_string(*parse_ip_network("10.1")), "10.1.0.0/16");
}

}  // namespace
}  // namespace pyhost::base

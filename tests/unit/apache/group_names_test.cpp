#include "apache/config/group_names.h"

#include <gtest/gtest.h>

#include <map>

namespace pyhost::apache {
namespace {

struct FakeNames final : NameSource {
  std::string_view server_name() const override { return "Shop.Example"; }
  std::string_view host_name() const override { return "www.shop.example"; }
  unsigned port() const override { return port_; }
  std::string_view script_name() const override { return "/shop"; }
  std::optional<std::string_view> variable(std::string_view name) const override {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  }

  unsigned port_ = 80;
  std::map<std::string_view, std::string_view> variables_;
};

TEST(ApplicationGroup, GlobalIsTheMainInterpreter) {
  EXPECT_EQ(expand_group("%{GLOBAL}", FakeNames{}), "");
}

TEST(ApplicationGroup, AnyOtherTextIsItsOwnName) {
  EXPECT_EQ(expand_group("shop", FakeNames{}), "shop");
  EXPECT_EQ(expand_group("a-%{SERVER}", FakeNames{}), "a-%{SERVER}");
}

TEST(ApplicationGroup, NamesHostsInLowerCase) {
  EXPECT_EQ(expand_group("%{SERVER}", FakeNames{}), "shop.example");
  EXPECT_EQ(expand_group("%{HOST}", FakeNames{}), "www.shop.example");
}

TEST(ApplicationGroup, OfAResourceHasHostAndMountPoint) {
  EXPECT_EQ(expand_group("%{RESOURCE}", FakeNames{}), "shop.example|/shop");
}

TEST(ApplicationGroup, LeavesTheUsualPortsOut) {
  FakeNames names;
  names.port_ = 443;
  EXPECT_EQ(expand_group("%{SERVER}", names), "shop.example");
  names.port_ = 8080;
  EXPECT_EQ(expand_group("%{SERVER}", names), "shop.example:8080");
  EXPECT_EQ(expand_group("%{RESOURCE}", names), "shop.example:8080|/shop");
}

TEST(ApplicationGroup, TakesTheValueOfAVariable) {
  FakeNames names;
  names.variables_ = {{"GROUP", "blue"}, {"TOKEN", "%{SERVER}"}, {"AGAIN", "%{ENV:GROUP}"}};
  EXPECT_EQ(expand_group("%{ENV:GROUP}", names), "blue");
  EXPECT_EQ(expand_group("%{ENV:TOKEN}", names), "shop.example");
  EXPECT_EQ(expand_group("%{ENV:AGAIN}", names), std::nullopt);
  EXPECT_EQ(expand_group("%{ENV:NONE}", names), std::nullopt);
}

TEST(CallableName, IsOnlyLookedUpForVariables) {
  FakeNames names;
  names.variables_ = {{"CALLABLE", "app"}};
  EXPECT_EQ(expand_callable("main", names), "main");
  EXPECT_EQ(expand_callable("%{ENV:CALLABLE}", names), "app");
  EXPECT_EQ(expand_callable("%{ENV:NONE}", names), std::nullopt);
}

}  // namespace
}  // namespace pyhost::apache

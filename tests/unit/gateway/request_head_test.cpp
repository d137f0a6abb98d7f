#include "pyhost/gateway/request_head.h"

#include <gtest/gtest.h>

#include <set>

namespace pyhost::gateway {
namespace {

TEST(EnvironKey, IsFoundByItsNameAndBack) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kEnvironKeyCount; ++i) {
    const auto key = static_cast<EnvironKey>(i);
    EXPECT_EQ(find_environ_key(name_of(key)), key) << name_of(key);
    names.insert(name_of(key));
  }
  EXPECT_EQ(names.size(), kEnvironKeyCount);
}

TEST(EnvironKey, IsOtherForAnyOtherName) {
  for (const char* name : {"", "request_method", "REQUEST_METHOD ", "HTTP_X_UNHEARD_OF"}) {
    EXPECT_EQ(find_environ_key(name), EnvironKey::other) << '"' << name << '"';
  }
}

}  // namespace
}  // namespace pyhost::gateway

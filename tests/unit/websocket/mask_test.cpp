#include "websocket/mask.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost::websocket {
namespace {

TEST(Mask, IsTakenFromAnyPartAsFromTheWhole) {
  const MaskKey key = {1, 20, 130, 255};
  std::string whole(100, 'x');
  unmask(whole, key, 0);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(static_cast<unsigned char>(whole[i]), 'x' ^ key[i % 4]);
  }
  for (std::size_t begin = 0; begin < 20; ++begin) {
    for (std::size_t size = 0; size < 40; ++size) {
      std::string part(size, 'x');
      unmask(part, key, begin);
      EXPECT_EQ(part, whole.substr(begin, size));
    }
  }
}

}  // namespace
}  // namespace pyhost::websocket

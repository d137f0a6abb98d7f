#include "base/json_text.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

TEST(JsonText, CarriesEveryByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(bytes_of_json_text(json_text_of(bytes)), bytes);
  EXPECT_EQ(json_text_of("a\xff"), "a\xc3\xbf");
}

TEST(JsonText, RefusesWhatIsNoByte) {
  EXPECT_EQ(bytes_of_json_text("\xc4\x80"), std::nullopt);
  EXPECT_EQ(bytes_of_json_text("a\xc3"), std::nullopt);
}

}  // namespace
}  // namespace pyhost::base

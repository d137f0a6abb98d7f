#include "control/passed_listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pyhost {
namespace {

using control::parse_passed_listeners;
using control::PassedListener;

TEST(PassedListeners, AreReadAsTheyWereWritten) {
  const std::vector<PassedListener> listeners{{.fd = 4, .address = "127.0.0.1:8000"},
                                              {.fd = 5, .address = "[::1]:1"}};
  EXPECT_EQ(to_text(listeners), "4=127.0.0.1:8000,5=[::1]:1");
  const auto parsed = parse_passed_listeners(to_text(listeners));
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(*parsed, listeners);
  EXPECT_TRUE(parse_passed_listeners("")->empty());
}

TEST(PassedListeners, AreRefusedWhenTheyAreNone) {
  for (const char* text : {"4", "4=", "=127.0.0.1:80", "x=127.0.0.1:80", "2=127.0.0.1:80",
                           "-1=127.0.0.1:80", "99999999999=127.0.0.1:80", "4=a,,5=b"}) {
    EXPECT_FALSE(parse_passed_listeners(text)) << text;
  }
  for (const char* text : {"4=a,4=b", "4=a,5=a"}) {
    const auto parsed = parse_passed_listeners(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().sentence, testing::HasSubstr("is there twice"));
  }
}

}  // namespace
}  // namespace pyhost

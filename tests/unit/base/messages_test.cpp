#include "pyhost/base/messages.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost::base {
namespace {

TEST(Messages, HaveTheNumberOfTheirId) {
  for (const MessageInfo& info : all_messages()) {
    ASSERT_EQ(info.id.size(), 6u) << info.id;
    EXPECT_EQ(info.id.substr(0, 2), "PH");
    EXPECT_EQ(std::stoi(std::string(info.id.substr(2))), static_cast<int>(info.message));
  }
}

TEST(Messages, AreDescribedInWords) {
  for (const MessageInfo& info : all_messages()) {
    EXPECT_FALSE(info.meaning.empty()) << info.id;
    EXPECT_TRUE(info.remedy.ends_with('.')) << info.id;
  }
}

TEST(Messages, AreFoundByTheirName) {
  EXPECT_EQ(id_of(Message::application_raised), "PH0174");
  EXPECT_EQ(id_of(Message::none), "");
}

}  // namespace
}  // namespace pyhost::base

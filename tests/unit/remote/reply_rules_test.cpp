#include "remote/reply_rules.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace pyhost::remote {
namespace {

gateway::ResponseHead with_length(std::optional<std::uint64_t> length, int status = 200) {
  return {.status = status, .content_length = length};
}

TEST(ReplyRules, LetABodyThroughUpToItsContentLength) {
  ReplyRules rules(false);
  ASSERT_TRUE(rules.begin(with_length(10)));
  EXPECT_EQ(rules.admit(4), 4u);
  EXPECT_FALSE(rules.end());
  EXPECT_EQ(rules.admit(6), 6u);
  EXPECT_FALSE(rules.exceeded());
  EXPECT_TRUE(rules.end());
  EXPECT_EQ(rules.admit(0), 0u);
  EXPECT_FALSE(rules.exceeded());
  EXPECT_EQ(rules.admit(UINT64_MAX), 0u);
  EXPECT_TRUE(rules.exceeded());
  EXPECT_TRUE(rules.end());
}

TEST(ReplyRules, LetOnlyAHeadThroughThatBeginsAStream) {
  const auto allowed = [](const gateway::Header& header, auto length) {
    return ReplyRules::begin_stream(
               {.status = 101, .headers = {&header, 1}, .content_length = length})
        .has_value();
  };
  EXPECT_TRUE(allowed({"sec-websocket-protocol", "chat"}, std::nullopt));
  EXPECT_FALSE(allowed({"sec-websocket-protocol", "chat"}, std::optional<std::uint64_t>(0)));
  EXPECT_FALSE(allowed({"Sec-WebSocket-ACCEPT", "x"}, std::nullopt));
  EXPECT_FALSE(allowed({"Upgrade", "websocket"}, std::nullopt));
  EXPECT_FALSE(allowed({"x", "a\nb"}, std::nullopt));
  EXPECT_FALSE(ReplyRules(false).begin({.status = 101}));
}

TEST(ReplyRules, CutOffWhatGoesBeyondTheContentLength) {
  ReplyRules rules(false);
  ASSERT_TRUE(rules.begin(with_length(3)));
  EXPECT_EQ(rules.admit(5), 3u);
  EXPECT_TRUE(rules.exceeded());
  EXPECT_TRUE(rules.end());
}

TEST(ReplyRules, LetEverythingThroughWithoutAContentLength) {
  ReplyRules rules(false);
  ASSERT_TRUE(rules.begin(with_length(std::nullopt)));
  EXPECT_EQ(rules.admit(UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(rules.admit(UINT64_MAX), UINT64_MAX);
  EXPECT_TRUE(rules.end());
}

TEST(ReplyRules, LetNothingThroughWhereThereIsNoBody) {
  for (const auto& [is_head, status] : {std::pair(true, 200), {false, 204}, {false, 304}}) {
    ReplyRules rules(is_head);
    ASSERT_TRUE(rules.begin(with_length(10, status)));
    EXPECT_EQ(rules.admit(100), 0u);
    EXPECT_FALSE(rules.exceeded());
    EXPECT_TRUE(rules.end());
  }
}

TEST(ReplyRules, KnowTheNumbersThatHttpdCanCountWith) {
  EXPECT_TRUE(ReplyRules(false).begin(with_length(INT64_MAX)));
  EXPECT_FALSE(ReplyRules(false).begin(with_length(std::uint64_t{INT64_MAX} + 1)));
  EXPECT_FALSE(ReplyRules(true).begin(with_length(UINT64_MAX)));
}

TEST(ReplyRules, KnowFinalStatusesOnly) {
  for (const int status : {200, 299, 404, 599, 999}) {
    EXPECT_TRUE(ReplyRules(false).begin(with_length(0, status))) << status;
  }
  for (const int status : {-1, 0, 99, 100, 101, 199, 1000}) {
    EXPECT_FALSE(ReplyRules(false).begin(with_length(0, status))) << status;
  }
  EXPECT_TRUE(ReplyRules::may_answer(400));
  EXPECT_TRUE(ReplyRules::may_answer(599));
  EXPECT_FALSE(ReplyRules::may_answer(399));
  EXPECT_FALSE(ReplyRules::may_answer(600));
}

}  // namespace
}  // namespace pyhost::remote

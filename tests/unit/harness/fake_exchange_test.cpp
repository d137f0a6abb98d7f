#include "harness/fake_exchange.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <array>

namespace pyhost::test {
namespace {

using gateway::BodyFault;
using gateway::ReplyPart;
using gateway::SendResult;

std::string read_once(FakeExchange& exchange, std::size_t bytes_max) {
  std::string buffer(bytes_max, '\0');
  const gateway::BodyRead read = exchange.read_body(buffer);
  EXPECT_EQ(read.fault, BodyFault::none);
  buffer.resize(read.bytes);
  return buffer;
}

TEST(FakeExchange, AnnouncesAndDeliversItsBody) {
  FakeExchange exchange({.body = "hello"});
  EXPECT_EQ(exchange.head().content_length, 5u);
  EXPECT_EQ(read_once(exchange, 3), "hel");
  EXPECT_EQ(read_once(exchange, 100), "lo");
  EXPECT_EQ(read_once(exchange, 100), "");
}

TEST(FakeExchange, RepeatsAFault) {
  FakeExchange exchange({.body_steps = {{"ab"}, {"", BodyFault::too_slow}}, .chunked = true});
  EXPECT_EQ(exchange.head().content_length, std::nullopt);
  EXPECT_EQ(read_once(exchange, 10), "ab");
  std::array<char, 4> buffer;
  EXPECT_EQ(exchange.read_body(buffer).fault, BodyFault::too_slow);
  EXPECT_EQ(exchange.read_body(buffer).fault, BodyFault::too_slow);
}

TEST(FakeExchange, LetsTheLastEntryOfANameWin) {
  const FakeExchange exchange({.environ = {{"PATH_INFO", "/deep"}, {"HTTP_X_OWN", "1"}}});
  const auto environ = exchange.head().environ;
  EXPECT_EQ(environ[environ.size() - 2].key, gateway::EnvironKey::path_info);
  EXPECT_EQ(environ[environ.size() - 2].value, "/deep");
  EXPECT_EQ(environ.back().name, "HTTP_X_OWN");
}

TEST(FakeExchange, CollectsTheReply) {
  FakeExchange exchange;
  const auto headers = std::to_array<gateway::Header>({{"X-A", "1"}, {"x-a", "2"}});
  const gateway::ResponseHead head{.status = 201, .headers = headers, .content_length = 4};
  const auto blocks = std::to_array<std::string_view>({"ab", "cd"});
  EXPECT_EQ(exchange.send({.head = &head, .blocks = blocks, .then = ReplyPart::Then::end}),
            SendResult::sent);
  EXPECT_EQ(exchange.status(), 201);
  EXPECT_EQ(exchange.header("x-A"), "1");
  EXPECT_EQ(exchange.headers().size(), 2u);
  EXPECT_EQ(exchange.body(), "abcd");
  EXPECT_TRUE(exchange.ended());
}

TEST(FakeExchange, LosesItsClientAfterThePartsAllowed) {
  FakeExchange exchange({.client_gone_after_parts = 1});
  const gateway::ResponseHead head;
  EXPECT_EQ(exchange.send({.head = &head}), SendResult::sent);
  EXPECT_EQ(exchange.send({}), SendResult::client_gone);
  EXPECT_EQ(exchange.parts_sent(), 1u);
}

TEST(FakeExchange, FailsTheTestWhenTheEngineBreaksTheOrderOfParts) {
  static FakeExchange* exchange = nullptr;
  FakeExchange own;
  exchange = &own;
  EXPECT_NONFATAL_FAILURE(exchange->send({.then = ReplyPart::Then::end}), "has no head");
  EXPECT_NONFATAL_FAILURE(exchange->send({.then = ReplyPart::Then::end}), "Then::end");
}

}  // namespace
}  // namespace pyhost::test

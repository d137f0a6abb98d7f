#include "asgi/response_start.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost::asgi {
namespace {

std::string text_of(const gateway::ResponseHead& head) {
  std::string text = std::to_string(head.status);
  for (const gateway::Header& header : head.headers) {
    text.append("|").append(header.name).append("=").append(header.value);
  }
  return text;
}

TEST(ResponseStart, KeepsHeadersInOrderWithTheirDuplicates) {
  ResponseStart start;
  EXPECT_FALSE(start.set_status(201));
  EXPECT_FALSE(start.add_header("x-a", "1"));
  EXPECT_FALSE(start.add_header("X-B", ""));
  EXPECT_FALSE(start.add_header("x-a", "2"));
  EXPECT_EQ(text_of(start.head()), "201|x-a=1|X-B=|x-a=2");
}

TEST(ResponseStart, RefusesStatusesThatAreNone) {
  for (const long long status : {0LL, 100LL, 199LL, 1000LL, -200LL, 0x1'0000'00c8LL}) {
    EXPECT_EQ(ResponseStart().set_status(status)->kind, Refusal::Kind::value_error) << status;
  }
  EXPECT_FALSE(ResponseStart().set_status(200));
  EXPECT_FALSE(ResponseStart().set_status(999));
}

TEST(ResponseStart, RefusesWhatIsNoHeader) {
  const std::pair<std::string_view, std::string_view> headers[] = {
      {"", "a"},        {":status", "200"}, {"a b", "c"},   {"a:", "b"},
      {"a\r\n", "b"},   {"a", "b\r\nc: d"}, {"a", "b\x7f"}, {"a", std::string_view("\0", 1)},
      {"\xc3\xa4", "b"}};
  for (const auto& [name, value] : headers) {
    EXPECT_EQ(ResponseStart().add_header(name, value)->kind, Refusal::Kind::value_error) << name;
  }
  EXPECT_FALSE(ResponseStart().add_header("a", "\xff\t"));
}

TEST(ResponseStart, TakesTheLengthAsANumber) {
  ResponseStart start;
  EXPECT_FALSE(start.set_status(200));
  EXPECT_FALSE(start.add_header("content-length", "12"));
  EXPECT_EQ(start.content_length(), 12u);
  EXPECT_EQ(start.head().content_length, 12u);
  EXPECT_EQ(text_of(start.head()), "200");
  EXPECT_EQ(start.add_header("Content-Length", "12")->sentence,
            "the reply has two Content-Length headers");
  for (const char* value : {"", "+1", "1 ", "0x1", "9223372036854775808"}) {
    EXPECT_TRUE(ResponseStart().add_header("content-length", value)) << value;
  }
}

TEST(ResponseStart, HasNoLengthWhereThereIsNoContent) {
  for (const auto& [status, length] :
       {std::pair<int, std::optional<std::uint64_t>>{204, std::nullopt}, {304, 5}, {200, 5}}) {
    ResponseStart start;
    EXPECT_FALSE(start.add_header("content-length", "5"));
    EXPECT_FALSE(start.set_status(status));
    EXPECT_EQ(start.head().content_length, length) << status;
  }
}

TEST(ResponseStart, LeavesOutWhatIsAboutTheConnection) {
  ResponseStart start;
  EXPECT_FALSE(start.add_header("transfer-encoding", "chunked"));
  EXPECT_EQ(start.dropped_header(), "");
  EXPECT_FALSE(start.head().closes_connection);
  EXPECT_FALSE(start.add_header("connection", " Close "));
  EXPECT_FALSE(start.add_header("upgrade", "h2c"));
  EXPECT_EQ(start.dropped_header(), "connection:  Close ");
  EXPECT_TRUE(start.head().closes_connection);
  EXPECT_TRUE(start.head().headers.empty());
}

TEST(ResponseStart, OfAnAcceptHasNothingOfTheHandshakeButWhatWasAgreedOn) {
  ResponseStart accept = ResponseStart::of_accept();
  for (const char* name : {"connection", "upgrade", "transfer-encoding", "sec-websocket-accept",
                           "Sec-WebSocket-Protocol", "sec-websocket-extensions", ":status"}) {
    EXPECT_TRUE(accept.add_header(name, "x")) << name;
  }
  EXPECT_FALSE(accept.add_header("content-length", "0"));
  EXPECT_FALSE(accept.add_header("set-cookie", "a=b"));
  accept.agree_on_subprotocol("chat");
  const gateway::ResponseHead head = accept.head();
  EXPECT_EQ(head.status, 101);
  EXPECT_EQ(head.content_length, std::nullopt);
  ASSERT_EQ(head.headers.size(), 2u);
  EXPECT_EQ(head.headers[0].name, "set-cookie");
  EXPECT_EQ(head.headers[1].name, "sec-websocket-protocol");
  EXPECT_EQ(head.headers[1].value, "chat");
}

TEST(ResponseStart, KnowsAStreamOfEvents) {
  for (const auto& [value, is_one] : {std::pair("text/event-stream", true),
                                      {"Text/Event-Stream; charset=utf-8", true},
                                      {"text/event-streams", false},
                                      {"text/plain", false}}) {
    ResponseStart start;
    EXPECT_FALSE(start.add_header("content-type", value));
    EXPECT_EQ(start.is_event_stream(), is_one) << value;
  }
}

}  // namespace
}  // namespace pyhost::asgi

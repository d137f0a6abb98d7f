// Workers whose application writes to httpd's connection itself, past all that holds it to HTTP.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "harness/httpd.h"
#include "httpd/text.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using gateway::Header;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using wire::FrameType;

constexpr char kConfig[] =
    "WSGIDaemonProcess g threads=2\n"
    "WSGIScriptAlias / ${APPS}/hostile.wsgi process-group=g\n";
constexpr char kOfTheGroup[] = "(process group 'g', slot 0, pid ";

std::string head(int status, std::optional<std::uint64_t> length, std::string_view reason = "OK",
                 std::vector<Header> headers = {{"Content-Type", "text/plain"}}) {
  std::string frame;
  EXPECT_TRUE(wire::encode_head(
      {.status = status, .reason = reason, .headers = headers, .content_length = length}, frame));
  return frame;
}

std::string body(std::string_view bytes) {
  std::string frame;
  wire::encode_body(FrameType::reply_body, bytes, frame);
  return frame;
}

std::string early_hints(std::vector<Header> headers) {
  std::string frame;
  EXPECT_TRUE(wire::encode_headers(wire::FrameType::early_hints, headers, frame));
  return frame;
}

std::string file(std::uint64_t offset, std::uint64_t length) {
  std::string frame;
  wire::encode_file({offset, length}, frame);
  return frame;
}

std::string log(base::LogLevel level, int id, std::string_view text) {
  std::string frame;
  wire::encode_log({level, static_cast<base::Message>(id), text}, frame);
  return frame;
}

std::string error(int status) {
  std::string frame;
  wire::encode_error({static_cast<std::uint16_t>(status), "for no reason"}, frame);
  return frame;
}

std::string flush() {
  std::string frame;
  wire::encode_empty(FrameType::flush, frame);
  return frame;
}

// What comes behind END keeps httpd's child from using the connection for the next request, while
// the application is about to shut it down.
std::string end() {
  std::string frame;
  wire::encode_end({}, frame);
  return frame + flush();
}

class HostileWorker : public testing::Test {
 protected:
  Response reply_of(const std::string& frames, const std::string& kind = "") const {
    return httpd_.request({.method = "POST", .path = "/?" + kind, .body = frames});
  }

  // What a client receives that asks for that reply and for a harmless one behind it.
  std::string both_replies(const std::string& method, const std::string& frames) const {
    RawConnection client = httpd_.connect();
    client.send(fmt::format("{} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                            method, frames.size(), frames));
    client.send("GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }

  // Ends httpd and expects one record of the kind for each of so many requests.
  void expect_records(std::size_t number) {
    httpd_.stop();
    EXPECT_EQ(count(httpd_.log(), "PH0463"), number);
    EXPECT_EQ(count(httpd_.log(), kOfTheGroup), number);
  }

  Httpd httpd_{kConfig};
};

TEST_F(HostileWorker, SendsOnlyTheFirstFewEarlyHints) {
  std::string frames;
  for (int i = 0; i < 100; ++i) frames += early_hints({{"X-A", std::to_string(i)}});
  const std::string replies = both_replies("POST", frames + head(200, 2) + body("ok") + end());
  EXPECT_EQ(count(replies, "HTTP/1.1 103 Early Hints"), 8) << replies;
  EXPECT_EQ(count(replies, "HTTP/1.1 200 OK"), 2) << replies;
}

TEST_F(HostileWorker, SendsNoEarlyHintsThatEndTheirLine) {
  httpd_.expect_log("PH0463");
  for (const Header& header : {Header{"X-A", "b\r\n\r\nHTTP/1.1 200 OK"},
                               Header{"Connection", "close"}, Header{"Content-Length", "3"}}) {
    EXPECT_EQ(reply_of(early_hints({header}) + head(200, 2) + body("ok") + end()).status, 502);
  }
  expect_records(3);
}

TEST_F(HostileWorker, SendsNoEarlyHintsBehindTheHead) {
  httpd_.expect_log("PH0455");
  const Response reply = reply_of(head(200, 2) + early_hints({{"X-A", "b"}}) + body("ok") + end());
  EXPECT_TRUE(reply.interim.empty());
  EXPECT_NE(reply.status, 200);
}

std::string trailers(std::vector<Header> headers) {
  std::string frame;
  EXPECT_TRUE(wire::encode_headers(wire::FrameType::trailers, headers, frame));
  return frame;
}

TEST_F(HostileWorker, SendsNoTrailersThatEndTheirLineOrChangeTheReply) {
  httpd_.expect_log("PH0463");
  for (const Header& header :
       {Header{"X-A", "b\r\n\r\nHTTP/1.1 200 OK"}, Header{"Content-Length", "3"},
        Header{"Transfer-Encoding", "chunked"}}) {
    EXPECT_EQ(reply_of(head(200, 2) + body("ok") + trailers({header}) + end()).status, 502);
  }
  expect_records(3);
}

TEST_F(HostileWorker, SendsNothingBehindTrailers) {
  httpd_.expect_log("PH0455");
  const std::string frames =
      head(200, 6) + body("ok") + trailers({{"X-A", "b"}}) + body("more") + end();
  EXPECT_EQ(reply_of(frames).status, 502);
}

TEST_F(HostileWorker, SendsNothingBeyondItsContentLength) {
  httpd_.expect_log("PH0463");
  const std::string forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
  for (const std::string& frames :
       {head(200, 5) + body("hello" + forged) + end(),
        head(200, 5) + body("hello") + flush() + body(forged) + flush() + end()}) {
    const std::string replies = both_replies("POST", frames);
    EXPECT_THAT(replies, Not(HasSubstr("forged")));
    EXPECT_EQ(count(replies, "HTTP/1.1 200 OK"), 2) << replies;
    EXPECT_THAT(replies, EndsWith("hello"));
  }
  expect_records(2);
}

TEST_F(HostileWorker, SendsNoShortReplyThatLooksComplete) {
  httpd_.expect_log("PH0463");
  EXPECT_FALSE(reply_of(head(200, 50) + body("hello") + flush() + end()).complete());
  EXPECT_EQ(reply_of(head(200, 50) + body("hello") + end()).status, 502);
  expect_records(2);
}

TEST_F(HostileWorker, SendsNoBodyWhereThereIsNone) {
  const std::string frames = body("no body") + end();
  for (const int status : {204, 304}) {
    const std::string replies = both_replies("POST", head(status, std::nullopt) + frames);
    EXPECT_THAT(replies, StartsWith(fmt::format("HTTP/1.1 {}", status)));
    EXPECT_THAT(replies, Not(HasSubstr("no body")));
    EXPECT_THAT(replies, EndsWith("hello"));
  }
  const std::string replies = both_replies("HEAD", head(200, 7) + frames);
  EXPECT_THAT(replies, Not(HasSubstr("no body")));
  EXPECT_THAT(replies, EndsWith("hello"));
}

TEST_F(HostileWorker, SendsNoHeadThatHttpdWouldDecideAbout) {
  httpd_.expect_log("PH0463");
  const std::string heads[] = {
      head(0, 5),
      head(99, 5),
      head(100, 5, "Continue"),
      head(101, 5, "Switching Protocols"),
      head(200, 5, "OK\r\nX-Injected: yes"),
      head(200, std::uint64_t{1} << 63),
      head(200, UINT64_MAX),
      head(200, 5, "OK", {{"Content-Length", "99"}}),
      head(200, {}, "OK", {{"Transfer-Encoding", "chunked"}}),
      head(200, 5, "OK", {{"Connection", "Upgrade"}}),
      head(200, 5, "OK", {{"upgrade", "websocket"}}),
      head(200, 5, "OK", {{"Keep-Alive", "timeout=9999"}}),
      head(200, 5, "OK", {{"TE", "trailers"}}),
      head(200, 5, "OK", {{"Trailer", "X-A"}}),
      head(200, 5, "OK", {{"Proxy-Authenticate", "Basic"}}),
      head(200, 5, "OK", {{"X-A: 1\r\nX-Injected", "yes"}}),
      head(200, 5, "OK", {{"X-A", "1\r\nX-Injected: yes"}}),
      head(200, 5, "OK", {{"X-A", std::string_view("\0", 1)}}),
      head(200, 5, "OK", {{"", "nameless"}}),
  };
  for (const std::string& forbidden : heads) {
    const Response reply = reply_of(forbidden + body("hello") + end());
    EXPECT_EQ(reply.status, 502);
    EXPECT_EQ(reply.header("x-injected"), std::nullopt);
    EXPECT_THAT(reply.body, Not(HasSubstr("hello")));
  }
  expect_records(std::size(heads));
}

TEST_F(HostileWorker, AsksForNoAnswerThatIsNoError) {
  httpd_.expect_log("PH0463");
  for (const int status : {1, 100, 101, 200, 204, 304, 399}) {
    EXPECT_EQ(reply_of(error(status)).status, 502) << status;
  }
  EXPECT_EQ(reply_of(error(413)).status, 413);
  expect_records(7);
}

TEST_F(HostileWorker, PassesNoDescriptorThatHttpdWouldWaitFor) {
  httpd_.expect_log("PH0463");
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"eventfd", "passed what is no file"},
      {"pipe", "passed a pipe"},
      {"folder", "passed a directory"},
      {"socket", "passed a socket"},
      {"device", "passed a device"},
      {"memory", "passed a file whose bytes are made"},
      {"name", "passed a file that was not opened for reading"},
      {"output", "passed a file that was not opened for reading"}};
  for (const auto& [kind, what] : kinds) {
    const Response reply = reply_of(head(200, 5) + file(0, 5) + end(), kind);
    EXPECT_EQ(reply.status, 502) << kind;
    EXPECT_THAT(httpd_.log(), HasSubstr(what));
  }
  expect_records(kinds.size());
}

TEST_F(HostileWorker, PassesNoRangeThatTheFileDoesNotHave) {
  httpd_.expect_log("PH0463");
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const std::pair<std::uint64_t, std::uint64_t> ranges[] = {
      {100'000, 5}, {0, 100'000}, {kSign, 5}, {UINT64_MAX, 5}, {0, kSign - 1}, {5, UINT64_MAX}};
  for (const auto& [offset, length] : ranges) {
    const std::string frames = head(200, std::nullopt) + file(offset, length) + end();
    EXPECT_EQ(reply_of(frames, "file").status, 502) << offset << ' ' << length;
  }
  EXPECT_EQ(reply_of(head(200, 5) + file(3, 5) + end(), "file").body, "Sends");
  EXPECT_EQ(reply_of(head(200, 2) + file(3, 5) + end(), "file").body, "Se");
  expect_records(std::size(ranges) + 1);
}

TEST_F(HostileWorker, LogsNothingThatConcernsAllOfHttpd) {
  httpd_.expect_log("the end of the world");
  httpd_.expect_log("PH0465: of an unknown kind");
  const std::string frames = log(base::LogLevel::emerg, 0, "the end of the world") +
                             log(base::LogLevel::alert, 65'000, "of an unknown kind \x1b[31m");
  EXPECT_EQ(reply_of(frames + head(200, 5) + body("hello") + end()).body, "hello");
  EXPECT_EQ(count(httpd_.log(), "[wsgi:crit]"), 2);
  EXPECT_THAT(httpd_.log(), HasSubstr("unknown kind \\x1b[31m"));
}

TEST_F(HostileWorker, DoesNotFloodTheLog) {
  constexpr std::size_t kRecords = 150'000;
  httpd_.expect_log("PH0464");
  std::string frames;
  for (std::size_t i = 0; i < kRecords; ++i) frames += log(base::LogLevel::info, 0, "flood");
  EXPECT_EQ(reply_of(frames + head(200, 5) + body("hello") + end()).body, "hello");
  EXPECT_LT(count(httpd_.log(), "] flood\n"), kRecords);
  EXPECT_THAT(httpd_.log(), HasSubstr("that process group 'g' logged were left out"));
}

}  // namespace
}  // namespace pyhost::test

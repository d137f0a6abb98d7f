#include "wire/messages.h"

#include <gmock/gmock.h>

#include <utility>

#include "pyhost/gateway/build_id.h"

namespace pyhost::wire {
namespace {

using gateway::BodyFault;
using gateway::EnvironEntry;
using gateway::EnvironKey;

struct Frame {
  FrameType type;
  std::string payload;
};

// Takes the frames in a buffer apart.
std::vector<Frame> frames_in(std::string_view bytes) {
  std::vector<Frame> frames;
  while (bytes.size() >= kHeaderBytes) {
    const auto header =
        decode_header(std::span<const char, kHeaderBytes>(bytes.data(), kHeaderBytes));
    if (!header) {
      ADD_FAILURE() << header.error().sentence;
      break;
    }
    frames.push_back(
        {header->type, std::string(bytes.substr(kHeaderBytes, header->payload_bytes))});
    bytes.remove_prefix(kHeaderBytes + header->payload_bytes);
  }
  EXPECT_TRUE(bytes.empty());
  return frames;
}

std::string only_payload(std::string_view bytes, FrameType type) {
  const auto frames = frames_in(bytes);
  EXPECT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames.at(0).type, type);
  return frames.at(0).payload;
}

// Every proper prefix of a payload, and the payload with a byte more, must be refused.
template <class F>
void expect_only_exact(const std::string& payload, F decode) {
  for (std::size_t size = 0; size < payload.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(payload).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode(payload + '\0'));
  EXPECT_TRUE(decode(payload));
}

const EnvironEntry kEntries[] = {
    {EnvironKey::request_method, {}, "POST"},
    {EnvironKey::path_info, {}, std::string_view("/\0\xff", 3)},
    {EnvironKey::other, "HTTP_X_TEST", "value"},
};

constexpr base::FileIdentity kFile{
    .device = UINT64_MAX, .inode = 2, .bytes = 3, .modified_us = -5, .changed_us = 7};

RequestMessage request_message() {
  RequestMessage message;
  message.target = {.kind = gateway::TargetKind::module,
                    .application_group = "shop",
                    .script = "shop.wsgi",
                    .callable = "app",
                    .reloading = gateway::Reloading::off,
                    .script_file = kFile,
                    .resource = "/srv/page.md"};
  message.head = {.environ = kEntries,
                  .https = true,
                  .is_head = true,
                  .web_socket = gateway::WebSocketOffer::other_version,
                  .ignores_activity = true,
                  .content_length = std::nullopt,
                  .start_us = 1'700'000'000'000'000,
                  .queue_start_us = 1'700'000'000'000'001};
  message.body = "first bytes";
  message.body_follows = true;
  return message;
}

TEST(GreetingMessage, IsTheSecretAndNothingElse) {
  const auto secret = *gateway::GroupSecret::make();
  std::string out;
  encode_greeting(secret, out);
  const std::string payload = only_payload(out, FrameType::greeting);
  EXPECT_TRUE(greets(payload, secret));
  EXPECT_FALSE(greets(payload, *gateway::GroupSecret::make()));
  EXPECT_FALSE(greets(payload + "x", secret));
  EXPECT_FALSE(greets("", secret));
}

TEST(RequestMessage, ArrivesAsItWasSent) {
  std::string out = "before";
  ASSERT_TRUE(encode_request(request_message(), out));
  const std::string payload = only_payload(std::string_view(out).substr(6), FrameType::request);
  std::vector<EnvironEntry> environ;
  const auto message = decode_request(payload, environ);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->target.kind, gateway::TargetKind::module);
  EXPECT_EQ(message->target.application_group, "shop");
  EXPECT_EQ(message->target.script, "shop.wsgi");
  EXPECT_EQ(message->target.callable, "app");
  EXPECT_EQ(message->target.reloading, gateway::Reloading::off);
  EXPECT_EQ(message->target.script_file, kFile);
  EXPECT_EQ(message->target.resource, "/srv/page.md");
  EXPECT_TRUE(message->head.https);
  EXPECT_TRUE(message->head.is_head);
  EXPECT_EQ(message->head.web_socket, gateway::WebSocketOffer::other_version);
  EXPECT_TRUE(message->head.ignores_activity);
  EXPECT_EQ(message->head.content_length, std::nullopt);
  EXPECT_EQ(message->head.start_us, 1'700'000'000'000'000);
  EXPECT_EQ(message->head.queue_start_us, 1'700'000'000'000'001);
  ASSERT_EQ(message->head.environ.size(), 3u);
  EXPECT_EQ(message->head.environ[0].key, EnvironKey::request_method);
  EXPECT_EQ(message->head.environ[1].value, std::string_view("/\0\xff", 3));
  EXPECT_EQ(message->head.environ[2].name, "HTTP_X_TEST");
  EXPECT_EQ(message->body, "first bytes");
  EXPECT_TRUE(message->body_follows);
  expect_only_exact(
      payload, [&](std::string_view bytes) { return decode_request(bytes, environ).has_value(); });
}

TEST(RequestMessage, ThatDoesNotFitAFrameIsNotSent) {
  const std::string large(kRequestBytesMax, 'x');
  RequestMessage message = request_message();
  message.body = large;
  std::string out = "before";
  EXPECT_FALSE(encode_request(message, out));
  EXPECT_EQ(out, "before");
}

TEST(RequestMessage, DoesNotAllocateForACountThatCannotBe) {
  std::string out;
  RequestMessage message = request_message();
  message.head.environ = {};
  ASSERT_TRUE(encode_request(message, out));
  std::string payload = only_payload(out, FrameType::request);
  const std::uint32_t lie = 0xffffffff;
  const std::size_t count_at = payload.size() - 1 - 4 - message.body.size() - sizeof lie;
  payload.replace(count_at, sizeof lie, reinterpret_cast<const char*>(&lie), sizeof lie);
  std::vector<EnvironEntry> environ;
  EXPECT_FALSE(decode_request(payload, environ));
  EXPECT_EQ(environ.capacity(), 0u);
}

TEST(HeadMessage, KeepsRepeatedHeadersAndTheirCase) {
  const gateway::Header headers[] = {{"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}, {"X", ""}};
  const gateway::Annotation annotations[] = {{gateway::Annotation::Kind::user, "", "anna"},
                                             {gateway::Annotation::Kind::note, "tenant", "blue"}};
  std::string out;
  ASSERT_TRUE(encode_head({.status = 404,
                           .reason = "Nope",
                           .headers = headers,
                           .content_length = 0,
                           .closes_connection = true,
                           .annotations = annotations},
                          out));
  const std::string payload = only_payload(out, FrameType::head);
  std::vector<gateway::Header> storage;
  std::vector<gateway::Annotation> notes;
  const auto head = decode_head(payload, storage, notes);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 404);
  EXPECT_EQ(head->reason, "Nope");
  EXPECT_EQ(head->content_length, 0u);
  EXPECT_TRUE(head->closes_connection);
  ASSERT_EQ(head->headers.size(), 3u);
  EXPECT_EQ(head->headers[1].name, "set-cookie");
  EXPECT_EQ(head->headers[1].value, "b=2");
  EXPECT_THAT(notes, testing::ElementsAreArray(annotations));
  expect_only_exact(payload, [&](std::string_view bytes) {
    return decode_head(bytes, storage, notes).has_value();
  });
}

TEST(BodyMessage, TakesAsManyFramesAsItNeeds) {
  std::string body(kBodyFrameBytesMax * 2 + 1, 'x');
  std::string out;
  encode_body(FrameType::reply_body, body, out);
  encode_body(FrameType::reply_body, "", out);
  std::string joined;
  const auto frames = frames_in(out);
  EXPECT_EQ(frames.size(), 3u);
  for (const Frame& frame : frames) joined += frame.payload;
  EXPECT_EQ(joined, body);
}

TEST(BodyEndMessage, CarriesTheClientsFault) {
  for (const auto fault : {BodyFault::none, BodyFault::too_slow, BodyFault::failed}) {
    std::string out;
    encode_body_end(fault, out);
    EXPECT_EQ(decode_body_end(only_payload(out, FrameType::body_end)), fault);
  }
  EXPECT_EQ(decode_body_end("\x7f"), std::nullopt);
  EXPECT_EQ(decode_body_end(""), std::nullopt);
}

TEST(LeaveMessage, CarriesWhy) {
  for (const auto leaving : {gateway::Leaving::restart, gateway::Leaving::stop}) {
    std::string out;
    encode_leave(leaving, out);
    EXPECT_EQ(decode_leave(only_payload(out, FrameType::leave)), leaving);
  }
  EXPECT_EQ(decode_leave("\x7f"), std::nullopt);
  EXPECT_EQ(decode_leave(""), std::nullopt);
}

TEST(TrailersMessage, IsOneOfHeaders) {
  const gateway::Header trailers[] = {{"x-sum", "1"}, {"x-sum", "2"}};
  std::string out;
  EXPECT_TRUE(encode_headers(FrameType::trailers, trailers, out));
  const std::string payload(only_payload(out, FrameType::trailers));
  std::vector<gateway::Header> got;
  ASSERT_TRUE(decode_headers(payload, got));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[1].value, "2");
}

TEST(CountsMessage, CarriesWhatHasBecomeOfAWebSocket) {
  for (const std::uint16_t code : {0, 1000, 1015, 3000, 4999}) {
    const gateway::SocketCounts counts{.received = 3, .sent = 1ull << 40, .close_code = code};
    std::string out;
    encode_counts(counts, out);
    EXPECT_EQ(decode_counts(only_payload(out, FrameType::counts)), counts);
  }
}

TEST(CountsMessage, NamesNoCodeThatThereCannotBe) {
  for (const std::uint16_t code : {1, 999, 1016, 2999, 5000}) {
    std::string out;
    encode_counts({.close_code = code}, out);
    EXPECT_EQ(decode_counts(only_payload(out, FrameType::counts)), std::nullopt) << code;
  }
  EXPECT_EQ(decode_counts("short"), std::nullopt);
}

TEST(OtherMessages, ArriveAsTheyWereSent) {
  std::string out;
  encode_file({.offset = 7, .length = 1ull << 40}, out);
  const auto file = decode_file(only_payload(std::exchange(out, {}), FrameType::reply_file));
  EXPECT_EQ(file->offset, 7u);
  EXPECT_EQ(file->length, 1ull << 40);

  encode_log({base::LogLevel::warn, base::Message::application_raised, "text\nlines"}, out);
  const std::string log_payload = only_payload(std::exchange(out, {}), FrameType::log);
  const auto log = decode_log(log_payload);
  EXPECT_EQ(log->level, base::LogLevel::warn);
  EXPECT_EQ(log->message, base::Message::application_raised);
  EXPECT_EQ(log->text, "text\nlines");

  encode_record({.level = base::LogLevel::info,
                 .text = "text",
                 .traceback = "lines",
                 .logger = "shop",
                 .file = "/srv/shop.py",
                 .line = 7},
                out);
  const std::string record_payload = only_payload(std::exchange(out, {}), FrameType::record);
  const auto record = decode_record(record_payload);
  EXPECT_EQ(record->level, base::LogLevel::info);
  EXPECT_EQ(record->text, "text");
  EXPECT_EQ(record->traceback, "lines");
  EXPECT_EQ(record->logger, "shop");
  EXPECT_EQ(record->file, "/srv/shop.py");
  EXPECT_EQ(record->line, 7u);
  encode_record({.text = std::string(kPayloadBytesMax, 'x'),
                 .traceback = std::string(kPayloadBytesMax, 'x') + "end"},
                out);
  const std::string long_payload = only_payload(std::exchange(out, {}), FrameType::record);
  EXPECT_TRUE(decode_record(long_payload)->traceback.ends_with("end"));

  encode_error({.status = 503, .cause = "draining"}, out);
  const std::string error_payload = only_payload(std::exchange(out, {}), FrameType::error);
  EXPECT_EQ(decode_error(error_payload)->status, 503);
  EXPECT_EQ(decode_error(error_payload)->cause, "draining");
  EXPECT_EQ(decode_error(error_payload)->failure, gateway::FailureCause::none);

  encode_hello({.pid = 4711, .generation = 8, .capacity = 15}, out);
  const std::string hello_payload = only_payload(std::exchange(out, {}), FrameType::hello);
  EXPECT_EQ(decode_hello(hello_payload)->pid, 4711u);
  EXPECT_EQ(decode_hello(hello_payload)->generation, 8u);
  EXPECT_EQ(decode_hello(hello_payload)->capacity, 15u);

  encode_retry({.lacks_script = true, .reason = "stale"}, out);
  const std::string retry_payload = only_payload(std::exchange(out, {}), FrameType::retry);
  const auto retry = decode_retry(retry_payload);
  ASSERT_TRUE(retry);
  EXPECT_TRUE(retry->lacks_script);
  EXPECT_EQ(retry->reason, "stale");

  encode_empty(FrameType::need_body, out);
  EXPECT_EQ(only_payload(out, FrameType::need_body), "");
}

constexpr gateway::RunFigures kFigures{.application = std::chrono::seconds(3),
                                       .interpreter_wait = std::chrono::microseconds(17)};

TEST(EndMessage, SaysWhatTheRunHasCost) {
  std::string out;
  encode_end(kFigures, out);
  const std::string payload = only_payload(out, FrameType::end);
  EXPECT_EQ(decode_end(payload), kFigures);
  EXPECT_EQ(decode_end(payload.substr(1)), std::nullopt);
  EXPECT_EQ(decode_end(payload + "x"), std::nullopt);
  EXPECT_EQ(decode_end(""), std::nullopt);
}

TEST(EndMessage, KnowsNoTimesBelowZero) {
  std::string out;
  encode_end({.application = std::chrono::microseconds(-1)}, out);
  EXPECT_EQ(decode_end(only_payload(out, FrameType::end)), std::nullopt);
}

TEST(ErrorMessage, SaysWhyAndWhatTheRunHasCost) {
  std::string out;
  encode_error({.status = 500,
                .cause = "the application failed",
                .failure = gateway::FailureCause::exception,
                .figures = kFigures},
               out);
  const std::string payload = only_payload(out, FrameType::error);
  const auto error = decode_error(payload);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->failure, gateway::FailureCause::exception);
  EXPECT_EQ(error->figures, kFigures);
}

TEST(ErrorMessage, KnowsNoOtherFailures) {
  std::string out;
  encode_error({.failure = gateway::FailureCause(gateway::kFailureCauses)}, out);
  EXPECT_EQ(decode_error(only_payload(out, FrameType::error)), std::nullopt);
}

// The texts of the records that a text becomes.
std::vector<std::string> log_pieces(std::string_view text) {
  std::string out;
  encode_log({base::LogLevel::warn, base::Message::busy_stacks, text}, out);
  std::vector<std::string> pieces;
  for (const Frame& frame : frames_in(out)) {
    EXPECT_EQ(frame.type, FrameType::log);
    const auto record = decode_log(frame.payload);
    EXPECT_EQ(record.value().level, base::LogLevel::warn);
    EXPECT_EQ(record->message, base::Message::busy_stacks);
    pieces.emplace_back(record->text);
  }
  return pieces;
}

TEST(LogMessage, ThatDoesNotFitAFrameBecomesSeveralRecords) {
  std::string text(2 * kPayloadBytesMax, 'x');
  text.back() = 'y';
  std::string whole;
  for (const std::string& piece : log_pieces(text)) whole += piece;
  EXPECT_TRUE(whole == text);
  EXPECT_THAT(log_pieces(""), ::testing::ElementsAre(""));
}

TEST(LogMessage, IsCutAtTheEndOfALine) {
  const std::string first(400'000, 'a'), second(400'000, 'b');
  EXPECT_TRUE((log_pieces(first + '\n' + second) == std::vector{first, second}));
}

// Byte by byte, because other builds read it: the length, HELLO's number, three zeros; then the
// length of the build id and its text.
TEST(Hello, BeginsWithTheBuildAtAPlaceThatNeverMoves) {
  std::string out;
  encode_hello({.pid = 1, .generation = 2, .capacity = 3}, out);
  const std::string build = gateway::kBuildId;
  const auto number = [](std::size_t value) {
    const auto narrow = static_cast<std::uint32_t>(value);
    return std::string(reinterpret_cast<const char*>(&narrow), sizeof narrow);
  };
  const std::string frozen =
      number(out.size() - 8) + std::string("\x49\0\0\0", 4) + number(build.size()) + build;
  EXPECT_EQ(out.substr(0, frozen.size()), frozen);
  EXPECT_EQ(build_of_hello(std::string_view(out).substr(8)), build);
}

TEST(Hello, OfAnotherBuildIsKnownByItsBuildAlone) {
  const std::string other(
      "\x09\0\0\0"
      "0.9-other"
      "whatever that build has to say",
      43);
  EXPECT_EQ(build_of_hello(other), "0.9-other");
}

TEST(Hello, WithoutABuildIsNone) {
  const std::string long_id(gateway::kBuildIdBytesMax + 1, 'x');
  std::string too_long("\0\0\0\0", 4);
  too_long[0] = static_cast<char>(long_id.size());
  for (const std::string& payload : {std::string(), std::string("\0\0\0\0", 4),
                                     std::string("\x09\0\0\0short", 9), too_long + long_id}) {
    EXPECT_FALSE(build_of_hello(payload)) << payload;
  }
}

TEST(EarlyHints, ComeBackAsTheyWere) {
  const std::vector<gateway::Header> sent{{"Link", "</a>; rel=preload"}, {"X-A", ""}};
  std::string out;
  ASSERT_TRUE(encode_headers(FrameType::early_hints, sent, out));
  const std::string_view payload = std::string_view(out).substr(kHeaderBytes);
  std::vector<gateway::Header> received;
  ASSERT_TRUE(decode_headers(payload, received));
  ASSERT_EQ(received.size(), 2u);
  EXPECT_EQ(received[0].value, "</a>; rel=preload");
  EXPECT_EQ(received[1].name, "X-A");
  EXPECT_FALSE(decode_headers(payload.substr(0, payload.size() - 1), received));
  EXPECT_FALSE(decode_headers(std::string(payload) + "x", received));
}

TEST(FrameHeader, RefusesWhatItDoesNotKnow) {
  HeaderBytes bytes = encode_header({FrameType::end, 12});
  EXPECT_EQ(decode_header(bytes)->payload_bytes, 12u);
  bytes[5] = 9;
  EXPECT_THAT(decode_header(bytes).error().sentence, ::testing::HasSubstr("no frame"));
  bytes = encode_header({FrameType(0), 12});
  EXPECT_THAT(decode_header(bytes).error().sentence, ::testing::HasSubstr("unknown type 0"));
  bytes = encode_header({FrameType::request, kRequestBytesMax});
  EXPECT_TRUE(decode_header(bytes));
  bytes = encode_header({FrameType::request, kRequestBytesMax + 1});
  EXPECT_FALSE(decode_header(bytes));
  bytes = encode_header({FrameType::body, kPayloadBytesMax + 1});
  EXPECT_THAT(decode_header(bytes).error().sentence, ::testing::HasSubstr("BODY frame of 1048577"));
}

}  // namespace
}  // namespace pyhost::wire

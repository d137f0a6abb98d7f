#include "wire/question_messages.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "wire/frame.h"

namespace pyhost::wire {
namespace {

using gateway::Annotation;
using gateway::Answer;
using gateway::EnvironEntry;
using gateway::EnvironKey;
using gateway::QuestionKind;
using testing::ElementsAre;

std::string payload_of(std::string_view frame, FrameType type) {
  const auto header =
      decode_header(std::span<const char, kHeaderBytes>(frame.data(), kHeaderBytes));
  EXPECT_TRUE(header);
  EXPECT_EQ(header->type, type);
  EXPECT_EQ(header->payload_bytes, frame.size() - kHeaderBytes);
  return std::string(frame.substr(kHeaderBytes));
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

const EnvironEntry kEntries[] = {{EnvironKey::request_method, {}, "GET"},
                                 {EnvironKey::other, "HTTP_X_TEST", "value"}};

QuestionMessage question_message() {
  QuestionMessage message;
  message.target = {.application_group = "hooks", .script = "/srv/users.py", .callable = "check"};
  message.question = {.kind = QuestionKind::password,
                      .head = {.environ = kEntries, .https = true, .start_us = 17},
                      .subject = std::string_view("anna\xff", 5),
                      .secret = std::string_view("p\0w", 3)};
  message.last_resort = true;
  return message;
}

Answer full_answer() {
  return {.kind = Answer::Kind::reply,
          .text = "anna",
          .items = {"staff", std::nullopt, ""},
          .status = 401,
          .headers = {{"WWW-Authenticate", "Bearer"}, {"X", ""}},
          .body = std::string("no\0body", 7),
          .annotations = {{Annotation::Kind::variable, "TENANT", "blue"}}};
}

TEST(QuestionMessage, TravelsInAnyBytes) {
  std::string out;
  ASSERT_TRUE(encode_question(question_message(), out));
  const std::string payload = payload_of(out, FrameType::question);
  std::vector<EnvironEntry> environ;
  const auto message = decode_question(payload, environ);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->target.script, "/srv/users.py");
  EXPECT_EQ(message->target.callable, "check");
  EXPECT_EQ(message->question.kind, QuestionKind::password);
  EXPECT_EQ(message->question.subject, question_message().question.subject);
  EXPECT_EQ(message->question.secret, question_message().question.secret);
  EXPECT_EQ(message->question.head.start_us, 17);
  EXPECT_TRUE(message->question.head.https);
  EXPECT_TRUE(message->last_resort);
  ASSERT_EQ(message->question.head.environ.size(), 2u);
  EXPECT_EQ(message->question.head.environ[1].name, "HTTP_X_TEST");
  expect_only_exact(
      payload, [&](std::string_view bytes) { return decode_question(bytes, environ).has_value(); });
}

TEST(QuestionMessage, TakesItsMemoryAtOnce) {
  std::string out;
  ASSERT_TRUE(encode_question(question_message(), out));
  std::string reserved;
  reserved.reserve(out.capacity());
  const char* const before = reserved.data();
  ASSERT_TRUE(encode_question(question_message(), reserved));
  EXPECT_EQ(reserved.data(), before);
  EXPECT_GE(out.capacity(), out.size());
}

TEST(QuestionMessage, OfAnUnknownKindIsNone) {
  QuestionMessage message = question_message();
  std::string out, other;
  ASSERT_TRUE(encode_question(message, out));
  message.question.kind = QuestionKind::groups;
  ASSERT_TRUE(encode_question(message, other));
  // The kind is all that they differ in.
  std::string payload = payload_of(out, FrameType::question);
  const std::string changed = payload_of(other, FrameType::question);
  ASSERT_EQ(payload.size(), changed.size());
  const auto at = std::ranges::mismatch(payload, changed).in1;
  ASSERT_NE(at, payload.end());
  *at = static_cast<char>(QuestionKind::dispatch) + 1;
  std::vector<EnvironEntry> environ;
  EXPECT_FALSE(decode_question(payload, environ));
}

TEST(AnswerMessage, TravelsWhole) {
  std::string out;
  ASSERT_TRUE(encode_answer(full_answer(), out));
  const std::string payload = payload_of(out, FrameType::answer);
  EXPECT_EQ(decode_answer(payload), full_answer());
  expect_only_exact(payload,
                    [](std::string_view bytes) { return decode_answer(bytes).has_value(); });
}

TEST(AnswerMessage, ThatPromisesMoreThanThereIsIsNone) {
  std::string out;
  ASSERT_TRUE(encode_answer({.kind = Answer::Kind::items}, out));
  std::string payload = payload_of(out, FrameType::answer);
  // Behind the kind and an empty text: how many items there are.
  const std::uint32_t lie = gateway::kAnswerItemsMax + 1;
  payload.replace(1 + sizeof lie, sizeof lie, reinterpret_cast<const char*>(&lie), sizeof lie);
  payload.append(gateway::kAnswerItemsMax + 1, '\0');
  EXPECT_FALSE(decode_answer(payload));
}

TEST(AnswerMessage, TooLargeForAFrameIsNotEncoded) {
  std::string out = "before";
  EXPECT_FALSE(
      encode_answer({.kind = Answer::Kind::text, .text = std::string(kPayloadBytesMax, 'x')}, out));
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace pyhost::wire

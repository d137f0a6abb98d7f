#include "pyhost/gateway/question.h"

#include <gmock/gmock.h>

namespace pyhost::gateway {
namespace {

using Kind = Answer::Kind;
using testing::HasSubstr;

std::string wrong(QuestionKind question, const Answer& answer) {
  const auto checked = check_answer(question, answer);
  return checked ? "" : checked.error().sentence;
}

TEST(Answer, HasToSuitTheQuestion) {
  constexpr QuestionKind kQuestions[] = {QuestionKind::access,     QuestionKind::password,
                                         QuestionKind::realm_hash, QuestionKind::groups,
                                         QuestionKind::authn,      QuestionKind::dispatch};
  // By question: yes, no, none, text, items, user, reply.
  constexpr std::string_view kSuits[] = {"+++....", "++++...", "..++...",
                                         "....+..", "..+..++", "....+.."};
  for (std::size_t i = 0; i < std::size(kQuestions); ++i) {
    for (std::size_t kind = 0; kind < kSuits[i].size(); ++kind) {
      const Answer answer{.kind = Kind(kind), .text = "x", .items = {"a", "b", "c"}, .status = 403};
      EXPECT_EQ(wrong(kQuestions[i], answer).empty(), kSuits[i][kind] == '+')
          << function_of(kQuestions[i]) << ' ' << kind;
    }
  }
}

TEST(Answer, IsNoTextThatWouldSplitALine) {
  for (const char* text : {"", "a\nb", "a\tb", "\x7f"}) {
    EXPECT_NE(wrong(QuestionKind::password, {.kind = Kind::text, .text = text}), "");
    EXPECT_NE(wrong(QuestionKind::authn, {.kind = Kind::user, .text = text}), "");
  }
  EXPECT_EQ(wrong(QuestionKind::password, {.kind = Kind::text, .text = "\xc3\xa4 \xff"}), "");
  EXPECT_THAT(wrong(QuestionKind::password, {.kind = Kind::text, .text = std::string(5000, 'x')}),
              HasSubstr("a text of 5000 bytes"));
}

TEST(Answer, OfAUserHasBoundedAnnotations) {
  const auto with = [](std::vector<Annotation> annotations) {
    return wrong(QuestionKind::authn,
                 {.kind = Kind::user, .text = "anna", .annotations = std::move(annotations)});
  };
  EXPECT_EQ(
      with({{Annotation::Kind::variable, "TENANT", ""}, {Annotation::Kind::note, "n", "x y"}}), "");
  EXPECT_THAT(with({{Annotation::Kind::variable, "A B", "x"}}), HasSubstr("as the name"));
  EXPECT_THAT(with({{Annotation::Kind::note, "", "x"}}), HasSubstr("as the name"));
  EXPECT_THAT(with({{Annotation::Kind::note, "n", "a\rb"}}), HasSubstr("control character"));
  EXPECT_THAT(with(std::vector<Annotation>(65, {Annotation::Kind::note, "n", "x"})),
              HasSubstr("65 notes"));
}

TEST(Answer, OfAReplyIsHeldToTheRulesOfReplies) {
  const auto reply = [](Answer answer) {
    answer.kind = Kind::reply;
    return wrong(QuestionKind::authn, answer);
  };
  EXPECT_EQ(reply({.status = 200, .headers = {{"X-A", "b"}}, .body = std::string(8192, 'x')}), "");
  EXPECT_THAT(reply({.status = 199}), HasSubstr("a status of 199"));
  EXPECT_THAT(reply({.status = 600}), HasSubstr("a status of 600"));
  EXPECT_THAT(reply({.status = 403, .body = std::string(8193, 'x')}), HasSubstr("8193 bytes"));
  EXPECT_THAT(reply({.status = 304, .body = "x"}), HasSubstr("which has none"));
  EXPECT_THAT(reply({.status = 403, .headers = {{"X-A", "b\r\nc"}}}), HasSubstr("X-A"));
  EXPECT_THAT(reply({.status = 403, .headers = {{"Connection", "close"}}}),
              HasSubstr("hop-by-hop"));
  EXPECT_THAT(reply({.status = 403, .headers = {{"content-length", "1"}}}),
              HasSubstr("Content-Length"));
  EXPECT_THAT(reply({.status = 403, .headers = {{"X", std::string(20'000, 'x')}}}),
              HasSubstr("20001 bytes"));
}

TEST(Answer, OfDispatchHasThreeNamesOrLess) {
  const auto items = [](std::vector<std::optional<std::string>> names) {
    return wrong(QuestionKind::dispatch, {.kind = Kind::items, .items = std::move(names)});
  };
  EXPECT_EQ(items({"shop", std::nullopt, std::nullopt}), "");
  EXPECT_NE(items({"shop"}), "");
  EXPECT_NE(items({"sh\nop", std::nullopt, std::nullopt}), "");
}

}  // namespace
}  // namespace pyhost::gateway

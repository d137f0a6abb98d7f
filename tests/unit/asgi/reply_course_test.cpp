#include "asgi/reply_course.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost::asgi {
namespace {

using More = ReplyCourse::More;
using Stage = ReplyCourse::Stage;
using Then = gateway::ReplyPart::Then;
using Ending = ReplyCourse::Ending;
using Departure = ReplyCourse::Departure;

constexpr auto kNothing = std::nullopt;

// A reply that has been started.
ReplyCourse started(std::optional<std::uint64_t> content_length = {}, int status = 200,
                    bool answers_head = false) {
  ReplyCourse course(answers_head);
  EXPECT_FALSE(course.start(status, content_length));
  return course;
}

std::string refusal_of(const ReplyCourse::Step& step) {
  return step.refusal ? step.refusal->sentence : "";
}

TEST(ReplyCourse, LetsHeadAndCompleteBodyLeaveAsOnePart) {
  ReplyCourse course = started();
  EXPECT_EQ(course.stage(), Stage::held);
  const auto step = course.body(5, More::no);
  EXPECT_EQ(step.departure, (Departure{true, 5, Then::end}));
  EXPECT_FALSE(step.refusal);
  EXPECT_EQ(course.ending(), Ending::complete);
}

// One whose trailers follow its body.
ReplyCourse with_trailers(std::optional<std::uint64_t> content_length = {},
                          bool answers_head = false) {
  ReplyCourse course(answers_head);
  EXPECT_FALSE(course.start(200, content_length, ReplyCourse::Trailers::follow));
  return course;
}

TEST(ReplyCourse, EndsWithTheLastTrailersWhereTheyFollow) {
  for (const std::optional<std::uint64_t> length : {std::optional<std::uint64_t>(), {5}}) {
    ReplyCourse course = with_trailers(length);
    EXPECT_EQ(course.body(5, More::no).departure, (Departure{true, 5, Then::pause}));
    EXPECT_EQ(course.ending(), Ending::broken);
    EXPECT_EQ(course.trailers(More::yes).departure, kNothing);
    EXPECT_EQ(course.trailers(More::no).departure, (Departure{false, 0, Then::end}));
    EXPECT_EQ(course.ending(), Ending::complete);
    EXPECT_NE(refusal_of(course.trailers(More::no)), "");
  }
}

TEST(ReplyCourse, TakesTrailersOfAReplyWithoutBodyAndSendsNone) {
  ReplyCourse course = with_trailers({}, true);
  EXPECT_EQ(course.body(5, More::no).departure, (Departure{true, 0, Then::end}));
  const auto step = course.trailers(More::no);
  EXPECT_EQ(step.departure, kNothing);
  EXPECT_FALSE(step.refusal);
}

TEST(ReplyCourse, RefusesTrailersAtTheWrongTime) {
  EXPECT_NE(refusal_of(ReplyCourse(false).trailers(More::no)), "");
  ReplyCourse unannounced = started();
  EXPECT_NE(refusal_of(unannounced.trailers(More::no)), "");
  ReplyCourse early = with_trailers();
  EXPECT_EQ(early.body(5, More::yes).departure, (Departure{true, 5, Then::pause}));
  EXPECT_NE(refusal_of(early.trailers(More::no)), "");
}

TEST(ReplyCourse, LetsABodyLeaveWithoutBytes) {
  ReplyCourse course = started();
  EXPECT_EQ(course.body(0, More::no).departure, (Departure{true, 0, Then::end}));
}

TEST(ReplyCourse, LetsEachPieceOfAStreamLeaveAtOnce) {
  ReplyCourse course = started();
  EXPECT_EQ(course.body(3, More::yes).departure, (Departure{true, 3, Then::pause}));
  EXPECT_EQ(course.body(0, More::yes).departure, kNothing);
  EXPECT_EQ(course.body(4, More::yes).departure, (Departure{false, 4, Then::pause}));
  EXPECT_EQ(course.ending(), Ending::broken);
  EXPECT_EQ(course.body(0, More::no).departure, (Departure{false, 0, Then::end}));
  EXPECT_EQ(course.ending(), Ending::complete);
}

TEST(ReplyCourse, LetsTheHeadLeaveWithAnEmptyPiece) {
  ReplyCourse course = started();
  EXPECT_EQ(course.body(0, More::yes).departure, (Departure{true, 0, Then::pause}));
}

TEST(ReplyCourse, LetsAHeadThatHasWaitedLongEnoughLeaveAlone) {
  ReplyCourse course(false);
  EXPECT_EQ(course.release_head(), kNothing);
  EXPECT_FALSE(course.start(200, {}));
  EXPECT_EQ(course.release_head(), (Departure{true, 0, Then::pause}));
  EXPECT_EQ(course.release_head(), kNothing);
  EXPECT_EQ(course.body(1, More::no).departure, (Departure{false, 1, Then::end}));
}

TEST(ReplyCourse, RefusesWhatIsOutOfOrder) {
  ReplyCourse course(false);
  EXPECT_EQ(refusal_of(course.body(1, More::no)),
            "http.response.body was sent before http.response.start");
  EXPECT_FALSE(course.start(200, {}));
  EXPECT_EQ(course.start(200, {})->kind, Refusal::Kind::runtime_error);
  EXPECT_EQ(refusal_of(course.body(1, More::no)), "");
  EXPECT_NE(refusal_of(course.body(0, More::no)), "");
  EXPECT_TRUE(course.start(200, {}));
  EXPECT_EQ(course.ending(), Ending::complete);
}

TEST(ReplyCourse, EndsWithTheByteThatCompletesItsLength) {
  ReplyCourse course = started(5);
  EXPECT_EQ(course.body(2, More::yes).departure, (Departure{true, 2, Then::pause}));
  EXPECT_EQ(course.body(3, More::yes).departure, (Departure{false, 3, Then::end}));
  EXPECT_EQ(course.ending(), Ending::complete);
  const auto end = course.body(0, More::no);
  EXPECT_EQ(end.departure, kNothing);
  EXPECT_FALSE(end.refusal);
}

TEST(ReplyCourse, CutsOffWhatIsLongerThanItsLength) {
  ReplyCourse course = started(3);
  const auto first = course.body(5, More::yes);
  EXPECT_EQ(first.departure, (Departure{true, 3, Then::end}));
  EXPECT_EQ(refusal_of(first), "the body has 2 bytes more than the reply's Content-Length");
  const auto second = course.body(1, More::no);
  EXPECT_EQ(second.departure, kNothing);
  EXPECT_NE(refusal_of(second), "");
  EXPECT_EQ(course.ending(), Ending::complete);
}

TEST(ReplyCourse, IsBrokenWhenItIsShorterThanItsLength) {
  ReplyCourse course = started(10);
  const auto step = course.body(4, More::no);
  EXPECT_EQ(step.departure, (Departure{true, 4, Then::more}));
  EXPECT_EQ(refusal_of(step), "the body has 6 bytes less than the reply's Content-Length");
  EXPECT_EQ(course.ending(), Ending::broken);
  EXPECT_NE(refusal_of(course.body(6, More::no)), "");
}

TEST(ReplyCourse, WithALengthOfNothingEndsWithTheApplication) {
  ReplyCourse course = started(0);
  EXPECT_EQ(course.body(0, More::yes).departure, (Departure{true, 0, Then::pause}));
  EXPECT_EQ(course.body(0, More::no).departure, (Departure{false, 0, Then::end}));
}

TEST(ReplyCourse, DropsTheBodyWhereThereIsNone) {
  for (const auto& [status, answers_head] : {std::pair(200, true), {204, false}, {304, false}}) {
    ReplyCourse course = started(10, status, answers_head);
    EXPECT_EQ(course.body(100, More::yes).departure, (Departure{true, 0, Then::end}));
    const auto later = course.body(100, More::no);
    EXPECT_EQ(later.departure, kNothing);
    EXPECT_FALSE(later.refusal);
    EXPECT_NE(refusal_of(course.body(0, More::no)), "");
    EXPECT_EQ(course.ending(), Ending::complete);
  }
}

TEST(ReplyCourse, CanBeAnsweredOtherwiseUntilTheHeadHasLeft) {
  ReplyCourse course(false);
  EXPECT_EQ(course.ending(), Ending::unanswered);
  EXPECT_FALSE(course.hint());
  EXPECT_FALSE(course.start(200, {}));
  EXPECT_EQ(course.ending(), Ending::unanswered);
  EXPECT_FALSE(course.hint());
  course.release_head();
  EXPECT_EQ(course.ending(), Ending::broken);
  EXPECT_TRUE(course.hint());
}

}  // namespace
}  // namespace pyhost::asgi

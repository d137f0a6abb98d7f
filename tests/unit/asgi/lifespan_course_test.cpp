#include "asgi/lifespan_course.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

using Event = LifespanCourse::Event;
using Next = LifespanCourse::Next;
using Stage = LifespanCourse::Stage;

// An application that has been told to start.
LifespanCourse starting(LifespanUse use = LifespanUse::detected) {
  LifespanCourse course(use);
  EXPECT_EQ(course.next(), Next::startup);
  course.told(Next::startup);
  return course;
}

LifespanCourse running() {
  LifespanCourse course = starting();
  EXPECT_FALSE(course.sent(Event::startup_complete, ""));
  return course;
}

TEST(LifespanCourse, GoesFromStartToEnd) {
  LifespanCourse course = starting();
  EXPECT_EQ(course.next(), Next::wait);
  EXPECT_FALSE(course.sent(Event::startup_complete, ""));
  EXPECT_EQ(course.stage(), Stage::running);
  EXPECT_EQ(course.next(), Next::wait);
  course.stop();
  EXPECT_EQ(course.next(), Next::shutdown);
  course.told(Next::shutdown);
  EXPECT_EQ(course.next(), Next::wait);
  EXPECT_FALSE(course.sent(Event::shutdown_complete, ""));
  EXPECT_EQ(course.stage(), Stage::stopped);
  EXPECT_EQ(course.sentence(), "");
  course.ended("");
  EXPECT_EQ(course.stage(), Stage::stopped);
}

TEST(LifespanCourse, DoesWithoutWhereTheApplicationKnowsNone) {
  for (const char* exception : {"ValueError: no", ""}) {
    LifespanCourse course = starting();
    course.ended(exception);
    EXPECT_EQ(course.stage(), Stage::unsupported);
    course.stop();
    EXPECT_EQ(course.stage(), Stage::unsupported);
  }
}

TEST(LifespanCourse, FailsWhereItIsWantedAndTheApplicationKnowsNone) {
  LifespanCourse raised = starting(LifespanUse::on);
  raised.ended("ValueError: no");
  EXPECT_EQ(raised.stage(), Stage::failed);
  EXPECT_EQ(raised.sentence(), "it raised ValueError: no before it had answered lifespan.startup");
  LifespanCourse returned = starting(LifespanUse::on);
  returned.ended("");
  EXPECT_EQ(returned.stage(), Stage::failed);
  EXPECT_EQ(returned.sentence(), "it returned before it had answered lifespan.startup");
}

TEST(LifespanCourse, IsNotAskedWhereItIsOff) {
  EXPECT_EQ(LifespanCourse(LifespanUse::off).stage(), Stage::unsupported);
}

TEST(LifespanCourse, FailsWhereTheApplicationSaysSo) {
  for (const LifespanUse use : {LifespanUse::detected, LifespanUse::on}) {
    LifespanCourse course = starting(use);
    EXPECT_FALSE(course.sent(Event::startup_failed, "no database"));
    EXPECT_EQ(course.stage(), Stage::failed);
    EXPECT_EQ(course.sentence(), "it sent lifespan.startup.failed: no database");
    course.ended("SystemExit: 3");
    EXPECT_EQ(course.sentence(), "it sent lifespan.startup.failed: no database");
  }
  LifespanCourse silent = starting();
  EXPECT_FALSE(silent.sent(Event::startup_failed, ""));
  EXPECT_EQ(silent.sentence(), "it sent lifespan.startup.failed");
}

TEST(LifespanCourse, FailsWhenTheStartTakesTooLong) {
  LifespanCourse course = starting();
  course.patience_is_over();
  EXPECT_EQ(course.stage(), Stage::failed);
  EXPECT_TRUE(course.sent(Event::startup_complete, ""));
}

TEST(LifespanCourse, NoticesAnEndThatNobodyAskedFor) {
  LifespanCourse course = running();
  course.ended("RuntimeError: lost");
  EXPECT_EQ(course.stage(), Stage::died);
  EXPECT_EQ(course.sentence(), "it raised RuntimeError: lost before it was sent lifespan.shutdown");
}

TEST(LifespanCourse, EndsWhateverIsWrongWithItsEnd) {
  LifespanCourse failed = running();
  failed.stop();
  EXPECT_FALSE(failed.sent(Event::shutdown_failed, "busy"));
  EXPECT_EQ(failed.stage(), Stage::stopped);
  EXPECT_EQ(failed.sentence(), "it sent lifespan.shutdown.failed: busy");

  LifespanCourse raised = running();
  raised.stop();
  raised.ended("KeyError: 'a'");
  EXPECT_EQ(raised.sentence(), "it raised KeyError: 'a'");

  LifespanCourse returned = running();
  returned.stop();
  returned.ended("");
  EXPECT_EQ(returned.stage(), Stage::stopped);
  EXPECT_EQ(returned.sentence(), "");

  LifespanCourse slow = running();
  slow.stop();
  slow.patience_is_over();
  EXPECT_EQ(slow.stage(), Stage::stopped);
  EXPECT_EQ(slow.sentence(), "it did not answer lifespan.shutdown in time");
}

TEST(LifespanCourse, RefusesAnswersThatNobodyAskedFor) {
  LifespanCourse course = running();
  EXPECT_EQ(course.sent(Event::startup_complete, "")->kind, Refusal::Kind::runtime_error);
  EXPECT_EQ(course.sent(Event::shutdown_complete, "")->kind, Refusal::Kind::runtime_error);
  EXPECT_EQ(course.stage(), Stage::running);
}

}  // namespace
}  // namespace pyhost::asgi

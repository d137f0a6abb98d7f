#include "asgi/receive_course.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

using gateway::BodyFault;
using Found = ReceiveCourse::Found;
using Next = ReceiveCourse::Next;

TEST(ReceiveCourse, GivesASmallBodyAsOneEvent) {
  ReceiveCourse course;
  EXPECT_EQ(course.next(), Next::look);
  EXPECT_EQ(course.found({.bytes = "all", .complete = true}), Found::request);
  EXPECT_FALSE(course.more_body());
  EXPECT_EQ(course.next(), Next::wait);
}

TEST(ReceiveCourse, GivesAnEmptyBodyAsOneEvent) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({.complete = true}), Found::request);
  EXPECT_FALSE(course.more_body());
  EXPECT_EQ(course.next(), Next::wait);
}

TEST(ReceiveCourse, SaysWithTheLastBytesThatTheyAre) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({}), Found::nothing);
  EXPECT_EQ(course.next(), Next::look);
  EXPECT_EQ(course.found({.bytes = "some"}), Found::request);
  EXPECT_TRUE(course.more_body());
  EXPECT_EQ(course.next(), Next::look);
  EXPECT_EQ(course.found({.bytes = "rest", .complete = true}), Found::request);
  EXPECT_FALSE(course.more_body());
}

TEST(ReceiveCourse, GivesTheEndAloneWhereItComesAlone) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({.bytes = "some"}), Found::request);
  EXPECT_EQ(course.found({.complete = true}), Found::request);
  EXPECT_FALSE(course.more_body());
}

TEST(ReceiveCourse, TellsOfTheClientsLeavingEverAfter) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({.complete = true}), Found::request);
  course.client_left();
  EXPECT_EQ(course.next(), Next::disconnect);
  EXPECT_EQ(course.next(), Next::disconnect);
}

TEST(ReceiveCourse, GivesWhatHadArrivedBeforeTheClientLeft) {
  ReceiveCourse course;
  course.client_left();
  EXPECT_EQ(course.next(), Next::look);
  EXPECT_EQ(course.found({.bytes = "all", .complete = true}), Found::request);
  EXPECT_EQ(course.next(), Next::disconnect);
}

TEST(ReceiveCourse, TellsOfALeavingInMidBody) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({.bytes = "some"}), Found::request);
  course.client_left();
  EXPECT_EQ(course.found({}), Found::disconnect);

  ReceiveCourse other;
  EXPECT_EQ(other.found({.fault = BodyFault::client_gone}), Found::disconnect);
  EXPECT_EQ(other.next(), Next::disconnect);
}

TEST(ReceiveCourse, FailsForGoodWithTheFaultOfTheBody) {
  for (const BodyFault fault :
       {BodyFault::too_slow, BodyFault::malformed, BodyFault::too_large, BodyFault::failed}) {
    ReceiveCourse course;
    EXPECT_EQ(course.found({.bytes = "some", .fault = fault}), Found::request);
    EXPECT_TRUE(course.more_body());
    EXPECT_EQ(course.next(), Next::fail);
    EXPECT_EQ(course.fault(), fault);
    EXPECT_EQ(course.next(), Next::fail);
  }
}

TEST(ReceiveCourse, LooksAtNoBodyBehindTheReply) {
  ReceiveCourse course;
  EXPECT_EQ(course.found({.bytes = "some"}), Found::request);
  course.replied();
  EXPECT_EQ(course.next(), Next::disconnect);
}

}  // namespace
}  // namespace pyhost::asgi

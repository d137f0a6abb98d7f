// Who closes a WebSocket, with which code, and what the application is told.

#include "websocket/socket_course.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "websocket/frame_writer.h"
#include "websocket/protocol.h"

namespace pyhost::websocket {
namespace {

using gateway::Leaving;
using Stage = SocketCourse::Stage;
using Step = SocketCourse::Step;

// "send 1000 why, wait", "send 1002, end", "end", "".
std::string words_of(const Step& step) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : ", ") + word; };
  if (step.frame.size() == 2) add("send empty");
  if (step.frame.size() > 2) {
    const int code = int(static_cast<unsigned char>(step.frame[2])) << 8 |
                     int(static_cast<unsigned char>(step.frame[3]));
    add(fmt::format("send {}{}{}", code, step.frame.size() > 4 ? " " : "", step.frame.substr(4)));
  }
  if (step.awaits_close) add("wait");
  if (step.ends) add("end");
  return words;
}

std::string told(const SocketCourse& course) {
  if (!course.disconnect()) return "";
  const auto& [code, reason] = *course.disconnect();
  return reason.empty() ? fmt::format("{}", code) : fmt::format("{} {}", code, reason);
}

struct Happening {
  const char* name;
  std::function<Step(SocketCourse&)> happens;
};

const Happening kAppCloses{"app closes", [](auto& course) { return course.close(4000, "bye"); }};
const Happening kAppReturns{"app returns", [](auto& course) { return course.return_open(); }};
const Happening kAppRaises{"app raises", [](auto& course) { return course.raise_open(); }};
const Happening kClientCloses{"client closes",
                              [](auto& course) { return course.hear_close(1001, "going"); }};
const Happening kClientClosesBare{"client closes bare",
                                  [](auto& course) { return course.hear_close(kCloseNoCode, ""); }};
const Happening kFault{"fault",
                       [](auto& course) { return course.hear_fault(kCloseNotUtf8, "no"); }};
const Happening kLost{"lost", [](auto& course) { return course.lose(); }};
const Happening kNoPong{"no pong", [](auto& course) { return course.miss_pong(); }};
const Happening kOverdue{"overdue", [](auto& course) { return course.close_overdue(); }};
const Happening kRestart{"restart", [](auto& course) { return course.leave(Leaving::restart); }};
const Happening kStop{"stop", [](auto& course) { return course.leave(Leaving::stop); }};

struct Row {
  Happening what;
  const char* step;
  const char* told;
  Stage stage;
};

TEST(SocketCourse, EndsFromOpenAsTheTableSays) {
  const Row rows[] = {
      {kClientCloses, "send 1001, end", "1001 going", Stage::ended},
      {kClientClosesBare, "send empty, end", "1005", Stage::ended},
      {kLost, "end", "1006", Stage::ended},
      {kAppCloses, "send 4000 bye, wait", "4000 bye", Stage::closing},
      {kAppReturns, "send 1000, wait", "1000", Stage::closing},
      {kAppRaises, "send 1011, wait", "1011", Stage::closing},
      {kRestart, "send 1012, wait", "1012", Stage::closing},
      {kStop, "send 1001, wait", "1001", Stage::closing},
      {kFault, "send 1007 no, end", "1007 no", Stage::ended},
      {kNoPong, "send 1011 no Pong, end", "1006", Stage::ended},
      {kOverdue, "", "", Stage::open},
  };
  for (const Row& row : rows) {
    SocketCourse course;
    course.accept();
    EXPECT_TRUE(course.takes_messages());
    EXPECT_EQ(words_of(row.what.happens(course)), row.step) << row.what.name;
    EXPECT_EQ(told(course), row.told) << row.what.name;
    EXPECT_EQ(course.stage(), row.stage) << row.what.name;
    EXPECT_EQ(course.takes_messages(), row.stage == Stage::open) << row.what.name;
  }
}

TEST(SocketCourse, WaitsForTheClientsCloseAndTellsTheApplicationItsOwn) {
  for (const Happening& first : {kAppCloses, kAppReturns, kAppRaises, kRestart, kStop}) {
    const Row rows[] = {
        {kClientCloses, "end", "", Stage::ended}, {kClientClosesBare, "end", "", Stage::ended},
        {kLost, "end", "", Stage::ended},         {kFault, "end", "", Stage::ended},
        {kOverdue, "end", "", Stage::ended},      {kNoPong, "end", "", Stage::ended},
        {kAppCloses, "", "", Stage::closing},     {kAppReturns, "", "", Stage::closing},
        {kRestart, "", "", Stage::closing},
    };
    for (const Row& row : rows) {
      SocketCourse course;
      course.accept();
      static_cast<void>(first.happens(course));
      const std::string before = told(course);
      EXPECT_EQ(words_of(row.what.happens(course)), row.step)
          << first.name << ", " << row.what.name;
      EXPECT_EQ(told(course), before) << first.name << ", " << row.what.name;
      EXPECT_EQ(course.stage(), row.stage) << first.name << ", " << row.what.name;
    }
  }
}

TEST(SocketCourse, EndsOnce) {
  for (const Happening& first : {kClientCloses, kLost, kFault, kNoPong}) {
    for (const Happening& second : {kClientCloses, kLost, kFault, kNoPong, kOverdue, kAppCloses,
                                    kAppReturns, kAppRaises, kRestart, kStop}) {
      SocketCourse course;
      course.accept();
      static_cast<void>(first.happens(course));
      const std::string before = told(course);
      EXPECT_EQ(words_of(second.happens(course)), "") << first.name << ", " << second.name;
      EXPECT_EQ(told(course), before) << first.name << ", " << second.name;
    }
  }
}

TEST(SocketCourse, IsNotClosedBeforeItIsOpen) {
  for (const Happening& what : {kAppCloses, kAppReturns, kAppRaises, kRestart, kStop, kOverdue}) {
    SocketCourse course;
    EXPECT_EQ(words_of(what.happens(course)), "") << what.name;
    EXPECT_EQ(course.stage(), Stage::offered) << what.name;
  }
}

TEST(SocketCourse, TellsOfARefusalAndOfAClientThatDidNotWait) {
  SocketCourse refused;
  refused.refuse();
  EXPECT_EQ(told(refused), "1006");
  EXPECT_EQ(refused.stage(), Stage::ended);
  SocketCourse left;
  EXPECT_EQ(words_of(left.lose()), "end");
  left.accept();
  EXPECT_EQ(left.stage(), Stage::ended);
  EXPECT_EQ(told(left), "1006");
}

TEST(SocketCourse, DropsWhatIsUnreadOnlyWhereTheApplicationHasClosed) {
  for (const Happening& what : {kAppCloses, kAppReturns, kAppRaises}) {
    SocketCourse course;
    course.accept();
    static_cast<void>(what.happens(course));
    EXPECT_TRUE(course.drops_unread()) << what.name;
  }
  for (const Happening& what : {kClientCloses, kLost, kFault, kRestart, kStop, kNoPong}) {
    SocketCourse course;
    course.accept();
    static_cast<void>(what.happens(course));
    EXPECT_FALSE(course.drops_unread()) << what.name;
  }
}

}  // namespace
}  // namespace pyhost::websocket

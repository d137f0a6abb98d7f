#include <gmock/gmock.h>

#include "cli/operate.h"
#include "cli/status.h"

namespace pyhost::cli {
namespace {

using Command = control::OperatorRequest::Command;

constexpr long long kNow = 1'000'000'000'000;

TEST(StatusTable, ShowsEachWorkerOnALine) {
  const auto table = status_table(
      R"json({"supervisor":{"pid":7},"groups":[
          {"name":"one","state":"degraded","reason":"script /a.wsgi could not be imported",
           "processes":2,"threads":15,"waiting":3,"workers":[
             {"slot":0,"state":"ready","pid":18,"generation":2,"requests":100,"busy_threads":4,
              "last_death":{"generation":1,"pid":16,"time_us":999880000000,
                            "description":"was killed by signal 9 (SIGKILL)"}},
             {"slot":1,"state":"empty","pid":0,"generation":0,"requests":0,"busy_threads":0,
              "last_death":null}]},
          {"name":"two","state":"stopped","reason":null,"threads":1,"waiting":0,"workers":[]}
         ]})json",
      {}, kNow);
  ASSERT_TRUE(table) << table.error().sentence;
  EXPECT_EQ(*table,
            "process group one: degraded, 3 requests wait for a worker\n"
            "  script /a.wsgi could not be imported\n"
            "  slot  state         pid  generation    requests       busy  last death\n"
            "     0  ready          18           2         100       4/15  generation 1 was killed "
            "by signal 9 (SIGKILL), 2 min ago\n"
            "     1  empty           -           0           0       0/15  -\n"
            "\n"
            "process group two: stopped\n"
            "  slot  state         pid  generation    requests       busy  last death\n");
}

TEST(StatusTable, ShowsWhichVersionOfEachScriptIsServedWhileOneIsBroken) {
  const auto table = status_table(
      R"json({"groups":[
          {"name":"one","state":"degraded","reason":null,"threads":5,"waiting":0,"workers":[
             {"slot":0,"role":"worker","state":"ready","pid":19,"generation":3,"requests":7,
              "busy_threads":0,"last_death":null},
             {"slot":0,"role":"keeper","state":"ready","pid":18,"generation":2,"requests":100,
              "busy_threads":4,"last_death":null}],
           "scripts":[
             {"application_group":"","script":"/a.wsgi","state":"kept","since_us":999880000000,
              "reason":"script /a.wsgi could not be imported: KeyError: 1","slots":[0]},
             {"application_group":"shop","script":"/b.wsgi","state":"current","since_us":null,
              "reason":null,"slots":[0,1]},
             {"application_group":"","script":"/c.wsgi","state":"broken","since_us":999999000000,
              "reason":"no\u001b","slots":[]}]},
          {"name":"two","state":"serving","reason":null,"threads":5,"waiting":0,"workers":[],
           "scripts":[{"application_group":"","script":"/d.wsgi","state":"current",
                       "since_us":null,"reason":null,"slots":[0]}]}
         ]})json",
      {}, kNow);
  ASSERT_TRUE(table) << table.error().sentence;
  EXPECT_EQ(*table,
            "process group one: degraded\n"
            "  slot  state         pid  generation    requests       busy  last death\n"
            "     0  ready          19           3           7        0/5  -\n"
            "     0  kept           18           2         100        4/5  -\n"
            "  served versions of scripts\n"
            "  /a.wsgi: the version of before, for 2 min, in slots 0; script /a.wsgi could not be "
            "imported: KeyError: 1\n"
            "  /b.wsgi in application group shop: current, in slots 0, 1\n"
            "  /c.wsgi: none, for 1 s; no\\x1b\n"
            "\n"
            "process group two: serving\n"
            "  slot  state         pid  generation    requests       busy  last death\n");
}

TEST(StatusTable, ShowsWhatAGroupHasHadToDo) {
  const auto table = status_table(R"json({"groups":[
      {"name":"one","state":"degraded","reason":"no","workers":[]}]})json",
                                  {{"one", "7 requests"}, {"two", "8 requests"}}, kNow);
  EXPECT_EQ(*table,
            "process group one: degraded\n"
            "  no\n"
            "  7 requests\n"
            "  slot  state         pid  generation    requests       busy  last death\n");
}

TEST(StatusCode, IsThatOfTheWorstGroup) {
  const auto code = [](std::vector<std::string> states) {
    control::StatusAnswer status;
    for (std::string& state : states) status.groups.push_back({.state = std::move(state)});
    return static_cast<int>(status_code(status));
  };
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({"serving", "serving"}), 0);
  EXPECT_EQ(code({"serving", "degraded"}), 1);
  EXPECT_EQ(code({"starting"}), 1);
  EXPECT_EQ(code({"stopped", "degraded"}), 3);
  EXPECT_EQ(code({"failing"}), 3);
  EXPECT_EQ(code({"of another version"}), 3);
}

TEST(StatusTable, SaysThatThereIsNothing) {
  EXPECT_EQ(*status_table(R"({"groups":[]})", {}, kNow), "There are no process groups.\n");
}

TEST(StatusTable, SaysThatTheConfigurationOnDiskWasRefused) {
  EXPECT_EQ(*status_table(R"({"groups":[],"refused":{"reason":"WSGIDaemonProcess a: no",
                              "since_us":999880000000}})",
                          {}, kNow),
            "The configuration that httpd read 2 min ago was refused; what runs is that of "
            "before:\n  WSGIDaemonProcess a: no\n\nThere are no process groups.\n");
}

TEST(StatusTable, HasNothingThatATerminalObeys) {
  const auto table = status_table(
      R"({"groups":[{"name":"a","state":"b","reason":"c\u001b[2J\nd\u009b1m\u202e","workers":[]}]})",
      {}, kNow);
  EXPECT_THAT(*table, testing::HasSubstr("  c\\x1b[2J\\nd\\xc2\\x9b1m\\xe2\\x80\\xae\n"));
}

TEST(StatusTable, RefusesWhatIsNoStatus) {
  for (const char* broken :
       {"", "[]", "{}", R"({"groups":1})", R"({"groups":[1]})", R"({"groups":[{"name":"one"}]})",
        R"({"groups":[{"name":"one","workers":[1]}]})"}) {
    EXPECT_FALSE(status_table(broken, {}, kNow)) << broken;
  }
}

TEST(OperateOptions, NameTheSocket) {
  EXPECT_EQ(operator_socket({.socket = "/run/x.control"}).value_or(""), "/run/x.control");
  EXPECT_EQ(operator_socket({.server_root = "/srv/root"}).value_or(""), "/srv/root/wsgi.control");
  EXPECT_THAT(system_socket(), testing::EndsWith("/wsgi.control"));
}

TEST(OperateOptions, BecomeOneLine) {
  EXPECT_EQ(request_line({.command = Command::status}), R"({"command":"status","wait":true})");
  EXPECT_EQ(request_line({.command = Command::stop, .group = "a\n", .wait = false}),
            R"({"command":"stop","group":"a\n","wait":false})");
}

}  // namespace
}  // namespace pyhost::cli

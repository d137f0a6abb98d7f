// Who may connect to the supervisor's sockets, and what they may ask for there.

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "supervisor/operator_fixture.h"
#include "supervisor/operators/operator_socket.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using OperatorGuest = OperatorFixture;

TEST_F(OperatorGuest, IsHeardByRootAndTheOwnUserOnly) {
  want("one");
  ASSERT_EQ(apply(), "");
  connect();
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  if (geteuid() != 0) GTEST_SKIP() << "needs root for the rest";
  // Even where the file lets everybody in.
  ASSERT_EQ(chmod(path().c_str(), 0666), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(seteuid(33), 0);
  const std::string answer = hear(connect());
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(answer, "");
  EXPECT_TRUE(logged("PH0414"));
}

TEST_F(OperatorGuest, ShowsTheStatusToMembersOfAGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  constexpr gid_t kMonitors = 4;
  constexpr uid_t kMember = 33;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("one");
  state.monitor_gid = kMonitors;
  ASSERT_EQ(apply(), "");
  ASSERT_EQ(group("one")["name"], "one");
  struct stat status {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_EQ(status.st_gid, kMonitors);
  const auto as_member = [&](const char* name) {
    EXPECT_EQ(setegid(kMonitors), 0);
    EXPECT_EQ(seteuid(kMember), 0);
    json answer = command(name, "one");
    EXPECT_EQ(seteuid(0), 0);
    EXPECT_EQ(setegid(0), 0);
    return answer;
  };
  EXPECT_EQ(as_member("status")["groups"][0]["name"], "one");
  EXPECT_TRUE(as_member("metrics").contains("metrics"));
  for (const char* name : {"dump", "reload", "stop", "start"}) {
    EXPECT_THAT(as_member(name).value("error", ""),
                HasSubstr(std::string(name) + " is for root and the user that started httpd"));
  }
  EXPECT_FALSE(board(0).is_stopped());
  // Those who command are heard, however many observe.
  std::vector<base::UniqueFd> observers;
  EXPECT_EQ(setegid(kMonitors), 0);
  EXPECT_EQ(seteuid(kMember), 0);
  for (std::size_t i = 0; i < supervisor::kGuestsMax; ++i) observers.push_back(connect());
  EXPECT_THAT(hear(connect()), HasSubstr("too many commands are under way"));
  EXPECT_EQ(seteuid(0), 0);
  EXPECT_EQ(setegid(0), 0);
  EXPECT_EQ(group("one")["name"], "one");
  // A restart without the directive.
  state.monitor_gid.reset();
  ASSERT_EQ(apply(), "");
  ASSERT_EQ(group("one")["name"], "one");
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(OperatorGuest, ShowsStacksToHttpdsUserAtASocketOfItsOwn) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("one");
  state.httpd = {.uid = 33, .gid = 33};
  state.stacks_socket = folder.path() + "/wsgi.stacks";
  ASSERT_EQ(apply(), "");
  worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  struct stat status {};
  ASSERT_EQ(stat(state.stacks_socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_uid, 33u);
  state.operator_socket.swap(state.stacks_socket);
  const auto as_httpd = [&](const char* name) {
    EXPECT_EQ(seteuid(33), 0);
    json answer = command(name, "one");
    EXPECT_EQ(seteuid(0), 0);
    return answer;
  };
  EXPECT_EQ(as_httpd("dump")["work"].size(), 1u);
  for (const char* name : {"status", "metrics", "reload", "stop"}) {
    EXPECT_THAT(as_httpd(name).value("error", ""),
                HasSubstr(std::string(name) + " is for root and the user that started httpd"));
  }
  state.operator_socket.swap(state.stacks_socket);
  const std::string before = std::exchange(state.stacks_socket, "");
  ASSERT_EQ(apply(), "");
  EXPECT_NE(access(before.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace pyhost::test

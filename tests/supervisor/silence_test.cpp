// Workers that httpd's children have no sign of life of. The test's process is the child that says
// so.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include "supervisor/supervisor_fixture.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using scoreboard::SlotState;
using testing::HasSubstr;

class SilentWorker : public SupervisorFixture {
 protected:
  // One worker, of which the test's process has no sign of life.
  pid_t start_silent(const json& settings) {
    want("one", {{"graceful-timeout", "1"}, {"eviction-timeout", "1"}, {"shutdown-timeout", "1"}},
         settings);
    EXPECT_EQ(apply(), "");
    EXPECT_TRUE(wait_until([this] { return seen().state == SlotState::ready; }));
    const pid_t pid = seen().pid;
    if (settings.contains("stopped") && pid > 0) kill(pid, SIGSTOP);
    board(0).note_silence(0, seen().generation);
    return pid;
  }
  scoreboard::SlotStatus seen() { return board(0).status(0); }
  bool is_succeeded() {
    return wait_until(
        [this] { return seen().generation == 2 && seen().state == SlotState::ready; });
  }
};

TEST_F(SilentWorker, IsHeardWhenItAnswersAndGreets) {
  const pid_t pid = start_silent({{"greets", true}});
  EXPECT_TRUE(wait_until([this] { return !seen().silent; }));
  EXPECT_EQ(seen().pid, pid);
  EXPECT_EQ(seen().generation, 1u);
}

TEST_F(SilentWorker, IsReplacedWhenItIsStopped) {
  const pid_t pid = start_silent({{"stopped", true}});
  EXPECT_TRUE(is_succeeded());
  EXPECT_THAT(log_text(), HasSubstr(fmt::format(
                              "PH0424: worker 0 of process group 'one' (pid {}, generation 1) has "
                              "not run for 5 s, in which it was asked whether it does",
                              pid)));
  // With SIGKILL, because it does not hear SIGTERM.
  EXPECT_TRUE(wait_until([&] { return !is_alive(pid); }));
  EXPECT_TRUE(logged("has ended because it did not serve any more"));
  const scoreboard::Death death = seen().last_death;
  EXPECT_EQ(death.pid, pid);
  EXPECT_THAT(describe(death), HasSubstr("did not serve any more"));
}

TEST_F(SilentWorker, IsReplacedWhenItAcceptsNobody) {
  const pid_t pid = start_silent({{"closed", true}});
  EXPECT_TRUE(is_succeeded());
  EXPECT_TRUE(logged(fmt::format(
      "(pid {}, generation 1) runs, but has accepted no connection for 5 s; it is replaced", pid)));
  EXPECT_TRUE(logged("has ended because it did not serve any more"));
}

TEST_F(SilentWorker, StaysWhenItGoesOnInTime) {
  const pid_t pid = start_silent({{"greets", true}, {"stopped", true}});
  EXPECT_FALSE(wait_until([this] { return !seen().silent; }, std::chrono::seconds(2)));
  kill(pid, SIGCONT);
  EXPECT_TRUE(wait_until([this] { return !seen().silent; }));
  EXPECT_EQ(seen().pid, pid);
}

// Nothing needs to be sent to it for that: it may be stopped with all its threads busy.
TEST_F(SilentWorker, IsReplacedWhenRequestsWaitForIt) {
  want("one", {{"graceful-timeout", "1"}, {"eviction-timeout", "1"}, {"shutdown-timeout", "1"}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(wait_until([this] { return seen().state == SlotState::ready; }));
  kill(seen().pid, SIGSTOP);
  const scoreboard::ChildId child = *board(0).add_child(getpid());
  const auto waiter = board(0).queue().enter(child, 1, base::Clock::now());
  EXPECT_TRUE(is_succeeded());
  EXPECT_TRUE(logged("has not run for 5 s"));
  board(0).forget_child(getpid());
}

}  // namespace
}  // namespace pyhost::test

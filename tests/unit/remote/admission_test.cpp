// Which worker a request is sent to when not every worker has its script.
#include "remote/admission.h"

#include <gmock/gmock.h>

#include <optional>
#include <thread>
#include <vector>

#include "harness/fake_exchange.h"
#include "harness/group_board.h"
#include "harness/wait.h"

namespace pyhost::remote {
namespace {

using scoreboard::SlotState;
using test::FakeExchange;
using test::GroupBoard;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::uint64_t kBlog = 11, kShop = 12;
constexpr std::uint32_t kThreads = 2;
// Two slots with one keeper each.
constexpr std::uint32_t kRows = 4, kRowsPerSlot = 2;
constexpr std::uint32_t kFirst = 0, kFirstKeeper = 1, kSecond = 2;

class AdmissionByScript : public ::testing::Test {
 protected:
  AdmissionByScript() {
    settings_.group.name = "site";
    settings_.socket_paths.resize(kRows);
    settings_.rows_per_slot = kRowsPerSlot;
    settings_.group.threads = kThreads;
    settings_.group.connect_timeout = settings_.group.startup_timeout = 100ms;
  }

  scoreboard::ReportWriter begin(std::uint32_t row, SlotState state) {
    board_->begin_generation(row, 100 + static_cast<pid_t>(row), 1, kThreads);
    auto child = board_.writer(row, 1);
    board_->set_state(row, state);
    return child;
  }
  void begin_keeper(std::uint32_t row, std::uint64_t script, SlotState state) {
    auto child = begin(row, state);
    ASSERT_TRUE(child.move_to(row, 0, std::vector{script}));
    if (state == SlotState::ready) child.come_back();
  }
  Admission admission(std::uint64_t script) {
    return {*board_, child_, settings_, exchange_, script};
  }

  GroupBoard board_{kRows, 1, 8};
  scoreboard::ChildId child_ = *board_->add_child(1);
  RemoteSettings settings_;
  FakeExchange exchange_;
};

TEST_F(AdmissionByScript, PrefersWorkersThatHaveIt) {
  begin(kFirst, SlotState::ready).lack(kBlog);
  begin(kSecond, SlotState::ready);
  std::vector<Lease> leases;
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    auto lease = admission(kBlog).enter();
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->worker().slot, kSecond);
    EXPECT_EQ(lease->resort(), Resort::first);
    leases.push_back(*std::move(lease));
  }
  // It waits for one of these rather than to be answered with an error.
  settings_.group.queue_timeout = 50ms;
  const auto none = admission(kBlog).enter();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, 504);
  EXPECT_EQ(admission(kShop).enter()->worker().slot, kFirst);
}

TEST_F(AdmissionByScript, AsksAnyWorkerWhenNoneHasIt) {
  begin(kFirst, SlotState::ready).lack(kBlog);
  begin(kSecond, SlotState::ready).lack(kBlog);
  const auto lease = admission(kBlog).enter();
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->resort(), Resort::last);
}

TEST_F(AdmissionByScript, AsksAKeeperForWhatItKeepsOnly) {
  begin(kFirst, SlotState::ready).lack(kBlog);
  begin_keeper(kFirstKeeper, kBlog, SlotState::ready);
  EXPECT_EQ(admission(kBlog).enter()->worker().slot, kFirstKeeper);
  EXPECT_EQ(admission(kShop).enter()->worker().slot, kFirst);
  board_->set_state(kFirst, SlotState::dead);
  const auto none = admission(kShop).enter();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text, HasSubstr("could be reached within 0.1 s"));
}

TEST_F(AdmissionByScript, WaitsForTheSuccessorOfAWorkerThatStandsBy) {
  begin(kFirst, SlotState::ready).lack(kBlog);
  begin_keeper(kFirstKeeper, kBlog, SlotState::standby);
  const auto none = admission(kBlog).enter();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, 503);
  settings_.group.startup_timeout = test::kPatience;
  std::jthread supervisor([&] {
    EXPECT_TRUE(test::wait_until([&] { return board_->waiting() == 1; }));
    board_->begin_generation(kFirst, 200, 2, kThreads);
    board_->set_state(kFirst, SlotState::ready);
  });
  const auto lease = admission(kBlog).enter();
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->worker().generation, 2u);
  EXPECT_EQ(lease->resort(), Resort::first);
}

TEST_F(AdmissionByScript, GoesToAnotherWorkerThanTheOneThatHasSaidThatItLacksIt) {
  begin(kFirst, SlotState::ready);
  begin(kSecond, SlotState::ready);
  Admission blog = admission(kBlog);
  std::optional<Worker> first;
  {
    const auto lease = blog.enter();
    ASSERT_TRUE(lease);
    first = lease->worker();
  }
  blog.heed(*first, {Setback::Kind::lacking, "it lacks it"});
  std::optional<Worker> second;
  {
    const auto lease = blog.enter();
    ASSERT_TRUE(lease);
    second = lease->worker();
    EXPECT_EQ(lease->resort(), Resort::first);
  }
  EXPECT_NE(first->slot, second->slot);
  blog.heed(*second, {Setback::Kind::lacking, "it lacks it, too"});
  EXPECT_EQ(blog.enter()->resort(), Resort::last);
}

// One that says so again and again is not believed for ever.
TEST_F(AdmissionByScript, EndsInTime) {
  begin(kFirst, SlotState::ready);
  Admission blog = admission(kBlog);
  unsigned asked = 0;
  while (true) {
    const auto lease = blog.enter();
    if (!lease) break;
    blog.heed(lease->worker(), {Setback::Kind::lacking, "it lacks it"});
    ASSERT_LE(++asked, 100u);
  }
  EXPECT_EQ(blog.enter().error().message, base::Message::retries_exhausted);
}

TEST_F(AdmissionByScript, MissesNoThreadsWhereNobodyIsKept) {
  settings_.group.queue = 0;
  begin(kFirst, SlotState::ready);
  begin(kSecond, SlotState::ready);
  std::vector<Lease> leases;
  for (std::uint32_t i = 0; i < 2 * kThreads; ++i) {
    leases.push_back(*admission(kBlog).enter());
  }
  const auto none = admission(kBlog).enter();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, base::Message::queue_full);
}

}  // namespace
}  // namespace pyhost::remote

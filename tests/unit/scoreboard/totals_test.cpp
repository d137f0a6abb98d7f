// What httpd's children count for ever.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <random>
#include <thread>

#include "harness/group_board.h"
#include "harness/wait.h"
#include "scoreboard/group_sums.h"

namespace pyhost::scoreboard {
namespace {

using namespace std::chrono_literals;
using gateway::FailureCause;
using test::GroupBoard;
using testing::ElementsAre;

constexpr std::uint32_t kChildren = 12;

GroupBoard some_board() {
  return {1, kChildren, 4};
}

gateway::RequestTimes lasted(base::Clock::duration time) {
  const auto now = base::Clock::now();
  return {.arrived = now - time, .sent = now - time, .ended = now};
}

void count(const Tally& tally, std::string_view application, int status = 200,
           FailureCause failure = FailureCause::none) {
  const auto times = lasted(3ms);
  tally.count({.application_group = application,
               .status = status,
               .failure = failure,
               .times = times,
               .figures = {.application = 2ms, .interpreter_wait = 1ms},
               .body_bytes = 10,
               .reply_bytes = 100});
}

template <const auto& kBounds>
std::uint64_t number_in(const Histogram<std::uint64_t, kBounds>& histogram) {
  return std::accumulate(std::begin(histogram.buckets), std::end(histogram.buckets),
                         std::uint64_t{0});
}

// All numbers of all rows that only grow, in one list.
std::vector<std::uint64_t> all_of(const BoardTotals& totals) {
  const GroupSums sums = sums_of(totals);
  std::vector<std::uint64_t> numbers;
  const auto take = [&numbers](const auto& row) {
    const auto* first = reinterpret_cast<const std::uint64_t*>(&row);
    numbers.insert(numbers.end(), first, first + sizeof(row) / sizeof(std::uint64_t));
  };
  take(sums.requests);
  take(sums.others);
  for (const ApplicationSums& application : sums.applications) take(application.totals);
  return numbers;
}

TEST(Totals, StayWhenTheChildEndsThatHasAddedThem) {
  GroupBoard board = some_board();
  for (pid_t child = 1; child <= static_cast<pid_t>(kChildren); ++child) {
    count(board->tally(*board->add_child(child)), "shop", 404, FailureCause::queue);
  }
  for (pid_t child = 1; child <= static_cast<pid_t>(kChildren); ++child) board->forget_child(child);
  const GroupSums sums = sums_of(board.map_again().totals());
  ASSERT_EQ(sums.applications.size(), 1u);
  const auto& [name, shop] = sums.applications.front();
  EXPECT_EQ(name, "shop");
  EXPECT_THAT(shop.requests, ElementsAre(0, 0, 0, kChildren, 0));
  EXPECT_EQ(number_in(shop.durations), kChildren);
  EXPECT_EQ(shop.application_us, 2'000u * kChildren);
  EXPECT_EQ(shop.interpreter_wait_us, 1'000u * kChildren);
  EXPECT_EQ(sums.requests.failures[static_cast<std::size_t>(FailureCause::queue)], kChildren);
  EXPECT_EQ(sums.requests.body_bytes, 10u * kChildren);
  EXPECT_EQ(sums.requests.reply_bytes, 100u * kChildren);
}

TEST(Totals, OfAHistogramAreInTheFirstBucketThatIsNotTooSmall) {
  GroupBoard board = some_board();
  auto& histogram = board->totals().workers.start_durations;
  for (const auto value : {std::chrono::microseconds(0), 1'000us, 1'001us, 2'500us, 60'000'000us,
                           60'000'001us, std::chrono::microseconds(-5)}) {
    observe(histogram, value);
  }
  const auto sums = sums_of(board->totals()).workers.start_durations;
  EXPECT_EQ(sums.buckets[0], 3u);
  EXPECT_EQ(sums.buckets[1], 2u);
  EXPECT_EQ(sums.buckets[kDurationBoundsUs.size() - 1], 1u);
  EXPECT_EQ(sums.buckets[kDurationBoundsUs.size()], 1u);
  EXPECT_EQ(sums.sum_us, 1'000u + 1'001 + 2'500 + 60'000'000 + 60'000'001);
}

TEST(Totals, TellWhoHadToWait) {
  GroupBoard board = some_board();
  const Tally tally = board->tally(*board->add_child(1));
  gateway::RequestTimes at_once = lasted(1ms), waited = at_once, refused = at_once;
  waited.queued = 20ms;
  refused.sent = {};
  for (const auto* times : {&at_once, &waited, &refused}) {
    tally.count({.application_group = "", .times = *times});
  }
  const GroupSums sums = sums_of(board->totals());
  EXPECT_EQ(sums.requests.waited, 1u);
  EXPECT_EQ(number_in(sums.requests.waits), 2u);
  EXPECT_EQ(sums.requests.waits.sum_us, 20'000u);
}

TEST(Totals, CountMessagesOfWebSocketsAndHowTheyAreClosed) {
  GroupBoard board = some_board();
  const Tally tally = board->tally(*board->add_child(1));
  tally.count_messages(3, 1);
  tally.count_messages(0, 5);
  for (const std::uint16_t code : {1000, 1000, 1015, 3000, 3999, 4000, 4999}) {
    tally.count_close(code);
  }
  const auto sums = sums_of(board->totals()).requests;
  EXPECT_EQ(sums.socket_messages_received, 3u);
  EXPECT_EQ(sums.socket_messages_sent, 6u);
  EXPECT_EQ(sums.socket_closes[0], 2u);
  EXPECT_EQ(sums.socket_closes[15], 1u);
  EXPECT_EQ(sums.socket_closes[16], 2u);
  EXPECT_EQ(sums.socket_closes[17], 2u);
}

TEST(OpenSockets, GoWithTheChildThatHasThem) {
  GroupBoard board = some_board();
  const ChildId first = *board->add_child(1), second = *board->add_child(2);
  for (int i = 0; i < 3; ++i) board->open_socket(first);
  board->open_socket(second);
  board->close_socket(first);
  EXPECT_EQ(board->sockets(), 3u);
  board->forget_child(1);
  EXPECT_EQ(board->sockets(), 1u);
  board->close_socket(second);
  EXPECT_EQ(board->sockets(), 0u);
}

TEST(ApplicationPlaces, TellNamesApartUntilThereAreTooMany) {
  GroupBoard board = some_board();
  const Tally tally = board->tally(*board->add_child(1));
  constexpr std::uint32_t kNames = kApplicationsMax + 10;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < kNames; ++i) count(tally, fmt::format("example.com|/{}", i));
  }
  const GroupSums sums = sums_of(board->totals());
  ASSERT_EQ(sums.applications.size(), kApplicationsMax);
  for (const ApplicationSums& each : sums.applications) {
    EXPECT_EQ(number_in(each.totals.durations), 2u) << each.name;
  }
  EXPECT_EQ(number_in(sums.others.durations), 20u);
}

TEST(ApplicationPlaces, HaveNoLongNames) {
  GroupBoard board = some_board();
  const Tally tally = board->tally(*board->add_child(1));
  const std::string longest(kApplicationNameBytesMax, 'x');
  count(tally, longest);
  count(tally, longest + "x");
  count(tally, "");
  const GroupSums sums = sums_of(board->totals());
  ASSERT_EQ(sums.applications.size(), 2u);
  EXPECT_EQ(sums.applications[0].name, "");
  EXPECT_EQ(sums.applications[1].name, longest);
  EXPECT_EQ(number_in(sums.others.durations), 1u);
}

// A child that is killed between taking a place and naming it.
TEST(ApplicationPlaces, ThatAreHalfTakenAreCompletedByTheNextChild) {
  GroupBoard board = some_board();
  const Tally tally = board->tally(*board->add_child(1));
  count(tally, "shop");
  for (ApplicationPlace& place : board->totals().places) {
    place.named = 0;
    for (auto& word : place.text) word = 0;
  }
  EXPECT_EQ(sums_of(board->totals()).applications.size(), 0u);
  count(board->tally(*board->add_child(2)), "shop");
  const GroupSums sums = sums_of(board->totals());
  ASSERT_EQ(sums.applications.size(), 1u);
  EXPECT_EQ(sums.applications[0].name, "shop");
  EXPECT_EQ(number_in(sums.applications[0].totals.durations), 2u);
}

TEST(Requests, AreKnownWhileAChildHasThem) {
  GroupBoard board = some_board();
  const auto began = base::Clock::now();
  EXPECT_EQ(board->requests().number, 0u);
  EXPECT_FALSE(board->requests().oldest);
  const Tally one = board->tally(*board->add_child(1)), other = board->tally(*board->add_child(2));
  {
    const RunningMark older(one.row_for(began - 1h)), younger(other.row_for(began));
    EXPECT_EQ(board->requests().number, 2u);
    EXPECT_EQ(board->requests().oldest, began - 1h);
    board->forget_child(1);
    EXPECT_EQ(board->requests().number, 1u);
    EXPECT_EQ(board->requests().oldest, began);
  }
  EXPECT_EQ(board->requests().number, 0u);
}

TEST(Requests, ForWhichThereIsNoRoomAreNotSeen) {
  GroupBoard board(1, 1, 2);
  const Tally tally = board->tally(*board->add_child(1));
  const auto now = base::Clock::now();
  const RunningMark first(tally.row_for(now)), second(tally.row_for(now)),
      third(tally.row_for(now));
  EXPECT_EQ(board->requests().number, 2u);
}

TEST(Totals, NeverDecreaseWhileTheyAreRead) {
  GroupBoard board = some_board();
  std::atomic<bool> stop = false;
  std::vector<std::jthread> children;
  for (pid_t child = 1; child <= 3; ++child) {
    children.emplace_back([&, tally = board->tally(*board->add_child(child))] {
      while (!stop) count(tally, "shop");
    });
  }
  for (int look = 0; look < 2000; ++look) {
    const auto before = all_of(board->totals()), after = all_of(board->totals());
    for (std::size_t i = 0; i < before.size(); ++i) ASSERT_LE(before[i], after[i]) << i;
  }
  stop = true;
}

// Children that count until they are killed, wherever that meets them.
TEST(Totals, NeverDecreaseWhileChildrenAreKilled) {
  GroupBoard board = some_board();
  constexpr int kKills = 300;
  std::mt19937 random(1);
  std::vector<std::uint64_t> before = all_of(board->totals());
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const Tally tally = board->tally(*board->add_child(::getpid()));
      for (unsigned i = 0;; ++i) {
        const RunningMark mark(tally.row_for(base::Clock::now()));
        count(tally, i % 2 == 0 ? "shop" : "blog");
      }
    }
    ::usleep(static_cast<useconds_t>(random() % 2000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    board->forget_child(child);
    std::vector<std::uint64_t> after = all_of(board->totals());
    ASSERT_GE(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) ASSERT_LE(before[i], after[i]) << i;
    before = std::move(after);
  }
  EXPECT_EQ(board->requests().number, 0u);
  EXPECT_LE(sums_of(board->totals()).applications.size(), 2u);
}

}  // namespace
}  // namespace pyhost::scoreboard

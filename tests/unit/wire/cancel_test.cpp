// Requests that are taken back from a peer that may read them at any moment.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <atomic>
#include <random>
#include <thread>

#include "wire/connection.h"
#include "wire/messages.h"

namespace pyhost::wire {
namespace {

using namespace std::chrono_literals;
using Cancelled = Connection::Cancelled;

constexpr Timeout kPatience = 30s;
constexpr std::size_t kReceivedAtOnce = 80 * 1024;

// A httpd child and a worker.
struct Pair {
  Connection child;
  Connection worker;
};

Pair connected() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {Connection(base::UniqueFd(ends[0]), Descriptors::refused),
          Connection(base::UniqueFd(ends[1]), Descriptors::refused)};
}

// A frame of that size in all.
FrameBatch request_of(std::size_t bytes) {
  FrameBatch batch;
  const HeaderBytes header =
      encode_header({FrameType::request, static_cast<std::uint32_t>(bytes - kHeaderBytes)});
  batch.encoded().append(header.data(), header.size());
  batch.encoded().append(bytes - kHeaderBytes, 'x');
  return batch;
}

void send_request(Connection& child, std::size_t bytes = 1000) {
  FrameBatch batch = request_of(bytes);
  ASSERT_EQ(child.write(batch, kPatience), Io::done);
}

void take_request(Connection& worker) {
  Frame frame;
  ASSERT_EQ(worker.read_frame(frame, kPatience), Io::done);
  ASSERT_EQ(frame.type, FrameType::request);
}

TEST(Cancel, IsSeenWithARequestThatNobodyHadRead) {
  Pair pair = connected();
  send_request(pair.child);
  EXPECT_TRUE(pair.child.has_unread());
  EXPECT_EQ(pair.child.cancel(), Cancelled::yes);
  take_request(pair.worker);
  EXPECT_TRUE(pair.worker.is_cancelled());
}

TEST(Cancel, OfARequestThatWasReadIsUndecided) {
  Pair pair = connected();
  send_request(pair.child);
  take_request(pair.worker);
  EXPECT_FALSE(pair.worker.is_cancelled());
  EXPECT_FALSE(pair.child.has_unread());
  EXPECT_EQ(pair.child.cancel(), Cancelled::undecided);
}

TEST(Cancel, ThatComesTooLateIsDropped) {
  Pair pair = connected();
  send_request(pair.child);
  take_request(pair.worker);
  EXPECT_FALSE(pair.worker.is_cancelled());
  pair.child.cancel();
  EXPECT_FALSE(pair.worker.idle());
  EXPECT_TRUE(pair.worker.drop_late_cancel());
  EXPECT_TRUE(pair.worker.idle());
}

TEST(Cancel, ThatComesTooLateHidesNoAbort) {
  Pair pair = connected();
  pair.child.cancel();
  FrameBatch batch;
  encode_empty(FrameType::abort, batch.encoded());
  ASSERT_EQ(pair.child.write(batch, kPatience), Io::done);
  EXPECT_FALSE(pair.worker.drop_late_cancel());
}

// The rest of the frame is what the peer has not read yet.
TEST(Cancel, IsSeenWithARequestThatWasReadInPart) {
  Pair pair = connected();
  send_request(pair.child, 150'000);
  ASSERT_EQ(pair.worker.fill_now(), Io::done);
  EXPECT_TRUE(pair.child.has_unread());
  EXPECT_EQ(pair.child.cancel(), Cancelled::yes);
  take_request(pair.worker);
  EXPECT_TRUE(pair.worker.is_cancelled());
}

// What comes behind a request may have to wait until there is room for it.
TEST(Cancel, IsSeenWhereverTheBufferEnds) {
  for (std::size_t bytes = kReceivedAtOnce - kHeaderBytes - 1; bytes <= kReceivedAtOnce + 1;
       ++bytes) {
    Pair pair = connected();
    send_request(pair.child, bytes);
    ASSERT_EQ(pair.child.cancel(), Cancelled::yes);
    take_request(pair.worker);
    EXPECT_TRUE(pair.worker.is_cancelled()) << bytes;
  }
}

TEST(Cancel, IsNotSeenWhereTheBufferEndsWithTheRequest) {
  Pair pair = connected();
  send_request(pair.child, kReceivedAtOnce);
  take_request(pair.worker);
  EXPECT_FALSE(pair.worker.is_cancelled());
}

TEST(Cancel, HasToFitTheSocket) {
  Pair pair = connected();
  FrameBatch batch = request_of(kPayloadBytesMax);
  EXPECT_EQ(pair.child.write_some(batch), Io::timeout);
  EXPECT_EQ(pair.child.cancel(), Cancelled::not_sent);
}

// Two threads that begin and end each round together, without sleeping.
class Rounds {
 public:
  void meet() {
    const int goal = (arrived_.fetch_add(1) / 2 + 1) * 2;
    while (arrived_ < goal) std::this_thread::yield();
  }

 private:
  std::atomic<int> arrived_ = 0;
};

// So that both run at the same time, where there are processors for that.
void keep_to_processor(unsigned number) {
  cpu_set_t allowed, own;
  CPU_ZERO(&own);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed) && number-- == 0) CPU_SET(cpu, &own);
  }
  ::sched_setaffinity(0, sizeof own, &own);
}

void idle_for(std::chrono::nanoseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  do {
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < until);
}

// A request that the child has back is run by nobody else.
TEST(Cancel, LeavesARequestToOneOfBoth) {
  constexpr int kRounds = 5000;
  std::optional<Pair> pair;
  Rounds rounds;
  bool seen = false;
  int taken_back = 0, undecided = 0, read_before = 0;
  std::jthread worker([&] {
    keep_to_processor(0);
    std::mt19937 random(1);
    for (int round = 0; round < kRounds; ++round) {
      rounds.meet();
      idle_for(1ns * (random() % 20'000));
      take_request(pair->worker);
      seen = pair->worker.is_cancelled();
      rounds.meet();
    }
  });
  std::jthread child([&] {
    keep_to_processor(1);
    std::mt19937 random(2);
    for (int round = 0; round < kRounds; ++round) {
      pair.emplace(connected());
      rounds.meet();
      send_request(pair->child, round % 3 == 0 ? 100'000 : 1000);
      idle_for(1ns * (random() % 20'000));
      std::optional<Cancelled> cancelled;
      if (pair->child.has_unread()) cancelled = pair->child.cancel();
      rounds.meet();
      if (cancelled == Cancelled::yes) {
        EXPECT_TRUE(seen) << "in round " << round;
      }
      ++(!cancelled ? read_before : cancelled == Cancelled::yes ? taken_back : undecided);
    }
  });
  worker.join();
  child.join();
  RecordProperty("taken_back", taken_back);
  RecordProperty("undecided", undecided);
  RecordProperty("read_before", read_before);
}

}  // namespace
}  // namespace pyhost::wire
